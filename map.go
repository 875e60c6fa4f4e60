package tandem

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// Item is one outcome of Unordered: the input with what became of it.
type Item[In, Out any] struct {
	Index int // of the input, from 0; -1 for the last item after ctx ended
	In    In
	Out   Out
	Err   error
}

// Window returns p with the number of inputs that Map and Unordered read ahead
// of the loop: what waits, runs, or is done and not yet yielded. Zero means
// twice the place's Width; a negative n panics.
func (p Placed[In, Out]) Window(n int) Placed[In, Out] {
	if n < 0 {
		panic(fmt.Sprintf("tandem: Window(%d): a window cannot be negative; zero means twice the place's width", n))
	}
	p.window = n
	return p
}

// All runs the task for each of ins and returns the results in the same order.
// Every input is run to its end. If some fail, the error joins one *ItemError
// for each in order, and the result still holds the values of the others, zero
// where there is none. To stop at the first failure, leave a loop over Map.
func (p Placed[In, Out]) All(ctx context.Context, ins []In) ([]Out, error) {
	outs := make([]Out, len(ins))
	errs := make([]error, len(ins))
	seen := make([]bool, len(ins))
	source := func(yield func(In) bool) {
		for _, in := range ins {
			if !yield(in) {
				return
			}
		}
	}
	for it := range p.Unordered(ctx, source) {
		if it.Index < 0 {
			for i := range errs { // what was never run shares the cause
				if !seen[i] {
					errs[i] = &ItemError{i, it.Err}
				}
			}
			break
		}
		seen[it.Index] = true
		outs[it.Index] = it.Out
		if it.Err != nil {
			errs[it.Index] = &ItemError{it.Index, it.Err}
		}
	}
	return outs, errors.Join(errs...)
}

// Map runs the task for each input of seq and yields the outcomes in the order
// of the inputs. It is lazy: at most Window inputs are read ahead of the loop.
// A failed input yields its error and the loop goes on; leaving the loop cancels
// what runs and waits until it no longer does. When ctx ends there is one last
// (zero, cause).
//
// seq runs in one goroutine of its own, which has ended when the loop has; its
// panic is raised again in the loop's goroutine.
func (p Placed[In, Out]) Map(ctx context.Context, seq iter.Seq[In]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		early := map[int]*call[In, Out]{} // settled before one that comes first; they count in the window
		next := 0
		cause := p.stream(ctx, seq, func(b *Batch, c *call[In, Out]) bool {
			for early[c.index] = c; early[next] != nil; next++ {
				c := early[next]
				delete(early, next)
				b.free(1)
				if !yield(c.result(c.err)) {
					return false
				}
			}
			return true
		})
		if cause != nil {
			var zero Out
			yield(zero, cause)
		}
	}
}

// Unordered runs the task for each input of seq and yields the outcomes as they
// come. Otherwise it is like Map; when ctx ends there is one last Item with
// Index -1 and the cause.
func (p Placed[In, Out]) Unordered(ctx context.Context, seq iter.Seq[In]) iter.Seq[Item[In, Out]] {
	return func(yield func(Item[In, Out]) bool) {
		cause := p.stream(ctx, seq, func(b *Batch, c *call[In, Out]) bool {
			b.free(1)
			it := Item[In, Out]{Index: c.index, In: c.in}
			it.Out, it.Err = c.result(c.err)
			return yield(it)
		})
		if cause != nil {
			yield(Item[In, Out]{Index: -1, Err: cause})
		}
	}
}

// stream is the common part. The loop's goroutine only takes outcomes; reading
// inputs and running happen behind it:
//
//	seq → feed ─(room in the window)→ Batch ← the place pulls → settled → take
//
// An input is in the window from before it is handed to the place until take
// frees its room. stream returns the cause of a ctx that ended, nil when the
// input ended or take said false; and the error of a call that makes no sense.
func (p Placed[In, Out]) stream(outer context.Context, seq iter.Seq[In], take func(*Batch, *call[In, Out]) bool) (cause error) {
	if err := p.check(outer); err != nil {
		return err
	}
	window := p.window
	if window == 0 {
		window = 2 * max(1, p.runner.Width())
	}
	ctx, cancel := context.WithCancelCause(outer)
	b := newBatch(ctx, window)
	settled := make(chan *call[In, Out], window) // so that Settle never blocks
	b.settle = func(j *Job, err error) {
		c := j.erased.(*call[In, Out])
		c.err = err
		settled <- c
	}
	var behind sync.WaitGroup
	behind.Go(func() {
		feed(b, seq, func(i int, in In) *Job {
			c := p.job(ctx, in)
			c.index = i
			return &c.Job
		})
	})
	behind.Go(func() {
		defer close(settled)
		runBatch(p.runner, b)
	})
	// However the loop ends, a panic in its body included, nothing runs afterwards.
	defer func() {
		cancel(context.Canceled)
		for range settled {
		}
		behind.Wait()
		if b.panic != nil {
			panic(b.panic)
		}
	}()
	for {
		select {
		case c, ok := <-settled:
			if !ok {
				if behind.Wait(); b.complete || outer.Err() == nil {
					return nil
				}
				return context.Cause(outer)
			}
			if !take(b, c) {
				return nil
			}
		case <-outer.Done():
			return context.Cause(outer)
		}
	}
}
