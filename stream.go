package tandem

import (
	"context"
	"fmt"
	"iter"
	"math"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/sys"
)

// stream is a Batch with its types, and what lies behind it. The loop's goroutine
// only takes outcomes; reading inputs and running happen beside it:
//
//	seq → feed ──(items of blocks, within the window)──→ Batch ← the place takes chunks
//	loop ← collect ←────────────(spans)────────────────────────── and settles them
//
// For an input alone nothing is allocated, locked or woken, unless somebody waits
// for this very input; what costs more is done for a chunk, a span or a block.
type stream[In, Out any] struct {
	Batch
	task *Task[In, Out]
	spec Spec
	blocks[In, Out]
	settled settled[In, Out]

	// Of the goroutine that runs the sequence.
	stopped  atomic.Bool // the loop has ended: a look at ctx for each input would cost more
	count    int64       // inputs read
	limit    int64       // of count, as far as it is known
	panicked any         // by the sequence
	complete bool        // the sequence came to its own end
}

// stream runs seq on the place and gives spans of outcomes to take until it says
// false. It returns the cause of a ctx that ended, nil when the input ended or take
// said false; and the error of a call that makes no sense.
func (p Placed[In, Out]) stream(outer context.Context, seq iter.Seq[In], take func(*stream[In, Out], span[In, Out]) bool) (cause error) {
	if err := p.check(outer); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(outer)
	s := &stream[In, Out]{task: p.task, spec: p.spec(ctx)}
	s.open(ctx, p.window, p.runner.Width())

	var behind sync.WaitGroup
	behind.Go(func() { s.readAll(seq) })
	behind.Go(func() {
		defer s.settled.close()
		s.run(p.runner)
	})
	leave := func() {
		s.stopped.Store(true)
		cancel(context.Canceled)
		behind.Wait()
	}
	// However the loop ends, a panic in its body included, nothing runs afterwards.
	defer func() {
		leave()
		if s.panicked != nil {
			panic(s.panicked)
		}
	}()
	for spans := s.collect(); spans != nil; spans = s.collect() {
		for _, sp := range spans {
			if !take(s, sp) {
				return nil
			}
		}
		clear(spans)
	}
	leave()
	spans, _ := s.settled.take() // when ctx has ended; All wants them nevertheless
	for _, sp := range spans {
		take(s, sp)
	}
	switch {
	case s.complete && s.window.own == s.count, s.panicked != nil:
		return nil
	case outer.Err() != nil:
		return context.Cause(outer)
	}
	panic(fmt.Sprintf("tandem: %s: the place has left, and %d inputs are unsettled", s.spec.Name, s.count-s.window.own))
}

func (s *stream[In, Out]) open(ctx context.Context, window, width int) {
	s.ctx, s.source, s.plain = ctx, s, sys.OrderedStores()
	s.wake, s.over = make(chan struct{}, 1), make(chan struct{})
	s.window.open(window, width)
	s.blocks.open(s.window.size.Load())
	s.settled.bell = make(chan struct{}, 1)
}

// readAll runs the input sequence. A panic in it is kept for the loop's goroutine,
// and so is Goexit: both mean that there is no further input.
func (s *stream[In, Out]) readAll(seq iter.Seq[In]) {
	defer close(s.over)
	returned := false
	defer func() {
		if v := recover(); v != nil {
			s.panicked = v
		} else if !returned {
			s.panicked = "tandem: the input sequence called runtime.Goexit"
		}
	}()
	s.complete = s.readOn(seq)
	returned = true
}

// readOn reports whether seq has ended by itself.
func (s *stream[In, Out]) readOn(seq iter.Seq[In]) bool {
	if !s.enter() {
		return false
	}
	for in := range seq {
		if s.full() {
			s.chain(s.count, s.window.size.Load())
		}
		s.add(in)
		s.count++
		s.publish(s.count)
		if s.hungry.Load() {
			s.feed()
		}
		if !s.enter() {
			return false
		}
	}
	return true
}

// enter waits for room for one more input; the sequence is asked only then.
func (s *stream[In, Out]) enter() (ok bool) {
	if s.count < s.limit {
		return !s.stopped.Load()
	}
	s.limit, ok = s.window.await(s.count, s.ctx.Done())
	return ok
}

// cut makes a chunk of the inputs that were read first; see source.
func (s *stream[In, Out]) cut(most int) *Chunk {
	b, at := s.front()
	n := int(min(int64(most), int64(len(b.ins)-at), atomic.LoadInt64(&s.read)-s.taken))
	s.at += n
	r := &run[In, Out]{stream: s, block: b, first: b.first + at, ins: b.ins[at : at+n], outs: b.outs[at : at+n]}
	r.spec, r.n, r.left, r.chunk = &s.spec, n, n, r
	return &r.Chunk
}

func (s *stream[In, Out]) fit(room int) int {
	in, plainIn := s.task.in.get().Plain()
	out, plainOut := s.task.out.get().Plain()
	if !plainIn || !plainOut {
		return math.MaxInt
	}
	return max(1, room/max(in, 1+out))
}

func (s *stream[In, Out]) waiting() bool { return s.settled.waiting() }

// collect waits for outcomes; nil means that there will be none, or that the
// loop's context has ended.
func (s *stream[In, Out]) collect() []span[In, Out] {
	for !s.ended() {
		spans, over := s.settled.take()
		if len(spans) > 0 {
			return spans
		}
		if over {
			return nil
		}
		s.window.publish(s.window.slack()) // all is yielded
		select {
		case <-s.settled.bell:
		case <-s.ctx.Done():
		}
	}
	return nil
}

// ended reports whether the loop's context has ended. (Err of a context that was
// made by package context is a third of the price of a look into its channel.)
func (s *stream[In, Out]) ended() bool { return s.ctx.Err() != nil }

// popped says that all items of a span were yielded: their memory may be used again.
func (s *stream[In, Out]) popped(sp span[In, Out]) {
	clear(sp.run.ins[sp.from:sp.to])
	clear(sp.run.outs[sp.from:sp.to])
	if b := sp.run.block; b.yielded(sp.to - sp.from) {
		s.release(b)
	}
}
