package main

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tandem-go/tandem/process"
)

// natsHandler handles the messages of a JetStream consumer, which have no context of
// their own: AckWait is the queue's time for a job.
type natsHandler struct {
	*executor
	ctx       context.Context // of the program, by process.Signals
	running   sync.WaitGroup
	delivered func(document string, d decision, err error)
}

func natsConsumer(workers int) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       queueTime,
		MaxDeliver:    5,           // every delivery counts, also of what has not run
		MaxAckPending: 2 * workers, // one for each worker, and one that waits for it
	}
}

func (h *natsHandler) handle(msg jetstream.Msg) {
	ctx, cancel := context.WithTimeout(h.ctx, queueTime)
	defer cancel()
	err := h.execute(ctx, string(msg.Data()))
	d := decide(err)
	var refused error // an answer that is lost is one more delivery, after AckWait
	switch d {
	case finished:
		refused = msg.DoubleAck(ctx)
	case retry:
		refused = msg.Nak()
	case later:
		refused = msg.NakWithDelay(pause)
	case giveUp:
		refused = msg.TermWithReason(err.Error())
	}
	if refused == nil {
		h.delivered(string(msg.Data()), d, err)
	}
}

// serve is what main is in a program that handles jobs: until ctx ends, or a signal comes.
// Then it finishes those that it has begun.
func serve(ctx context.Context, stream jetstream.Stream, h *natsHandler) error {
	pool := newPool(workers)
	defer pool.Close()
	if err := pool.Start(ctx); err != nil {
		return err
	}
	consumer, err := stream.CreateConsumer(ctx, natsConsumer(workers))
	if err != nil {
		return err
	}

	quit := make(chan struct{}) // closed at the first signal
	drained := make(chan struct{})
	work, stop := process.Signals{Pools: []*process.Pool{pool}, Drain: func(context.Context) error {
		close(quit)
		<-drained // the pool takes calls until then
		return nil
	}}.Handle(context.WithoutCancel(ctx))
	defer stop()

	h.ctx, h.pool = work, pool
	messages, err := consumer.Consume(func(msg jetstream.Msg) {
		h.running.Go(func() { h.handle(msg) }) // Consume itself handles one after the other
	})
	if err == nil {
		select {
		case <-quit:
		case <-ctx.Done():
		}
		messages.Stop()     // no new jobs: what was fetched and not begun is delivered again
		<-messages.Closed() // no handler begins after this
		h.running.Wait()
	}
	close(drained)
	return errors.Join(err, pool.Close())
}
