package tandem

import (
	"context"
	"iter"
	"sync"
)

// Batch is the stream of jobs of one Map, Unordered or All, for a BatchRunner to
// pull from. Its methods are safe for concurrent use.
type Batch struct {
	ctx    context.Context
	jobs   chan *Job
	room   chan struct{} // one token for each input in the window
	settle func(*Job, error)

	panic    any  // of the input sequence
	complete bool // the input sequence came to its own end; read when all is over
}

// Context owns the work of the batch: each of its jobs runs under it.
func (b *Batch) Context() context.Context { return b.ctx }

// Next takes a job. It blocks until the input sequence has one and the window
// has room, and returns nil when there are no more or the context has ended. A
// job that was taken must be settled.
func (b *Batch) Next() *Job {
	select {
	case j := <-b.jobs: // nil when closed
		return j
	case <-b.ctx.Done():
		return nil
	}
}

// Settle ends a job that Next returned: err is what Job.Invoke or Job.SetOutput
// returned, or why the job did not run. It does not block.
func (b *Batch) Settle(j *Job, err error) { b.settle(j, err) }

func newBatch(ctx context.Context, window int) *Batch {
	return &Batch{ctx: ctx, jobs: make(chan *Job), room: make(chan struct{}, window)}
}

// free gives room in the window back.
func (b *Batch) free(n int) {
	for range n {
		<-b.room
	}
}

// feed runs the input sequence. A panic in it is kept for the loop's goroutine,
// and so is Goexit: both mean that there is no further input.
func feed[In any](b *Batch, seq iter.Seq[In], job func(i int, in In) *Job) {
	defer close(b.jobs)
	ended := false
	defer func() {
		if v := recover(); v != nil {
			b.panic = v
		} else if !ended {
			b.panic = "tandem: the input sequence called runtime.Goexit"
		}
	}()
	if !b.enter() {
		ended = true
		return
	}
	i := 0
	for in := range seq {
		if !b.offer(job(i, in)) || !b.enter() {
			ended = true
			return
		}
		i++
	}
	ended, b.complete = true, true
}

// enter waits for room for one more input; the sequence is asked only then.
func (b *Batch) enter() bool {
	select {
	case b.room <- struct{}{}:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// offer waits for a place that takes j. An input that was read and not taken has
// not run.
func (b *Batch) offer(j *Job) bool {
	select {
	case b.jobs <- j:
		return true
	case <-b.ctx.Done():
		return false
	}
}

// runBatch runs b on r: by itself if it can, and otherwise with as many
// goroutines as the place is wide, each of which pulls, runs and settles.
func runBatch(r Runner, b *Batch) {
	if r, ok := r.(BatchRunner); ok {
		r.RunBatch(b.ctx, b)
		return
	}
	var workers sync.WaitGroup
	var work func()
	work = func() {
		var j *Job
		settled := true
		defer func() {
			if !settled { // the task ended this goroutine, which only Inline lets it do
				b.Settle(j, &PanicError{Value: goexit})
				workers.Go(work)
			}
		}()
		for j = b.Next(); j != nil; j = b.Next() {
			settled = false
			err := r.Run(b.ctx, j)
			settled = true
			b.Settle(j, err)
		}
	}
	for range max(1, r.Width()) {
		workers.Go(work)
	}
	workers.Wait()
}
