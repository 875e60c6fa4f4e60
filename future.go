package tandem

import (
	"context"
	"iter"
	"sync"
)

// Waiter is anything that settles once: *Future, *process.Handle,
// *thread.Handle. Done is closed when it has; Err is nil before that and for a
// success.
type Waiter interface {
	Done() <-chan struct{}
	Err() error
}

// Future is the outcome of a call made with Placed.Go. It settles exactly once.
// Its methods are safe for concurrent use.
type Future[T any] struct {
	done   chan struct{}
	cancel context.CancelCauseFunc
	value  T
	err    error
}

// Wait returns the outcome, any number of times, always the same. If ctx ends
// first it returns context.Cause(ctx): only the waiting ends, the work goes on.
func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-f.done: // settled wins over a context that has ended too
		return f.value, f.err
	default:
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

// Done is closed when the future has settled.
func (f *Future[T]) Done() <-chan struct{} { return f.done }

// Err is the error the future settled with: nil before it settles and after a
// success.
func (f *Future[T]) Err() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// Cancel ends the context of the call: what waits in a queue never starts, what
// runs is asked to stop and, in a process, killed after Grace. It does not
// block. The future settles with context.Canceled, unless the task still ends
// with a value.
func (f *Future[T]) Cancel() { f.cancel(context.Canceled) }

// Completed yields each of ws with its index as it settles, so that the first
// to end comes first. A Waiter given twice is yielded once, with its first
// index. When ctx ends, the loop yields what has settled by then and ends.
func Completed(ctx context.Context, ws ...Waiter) iter.Seq2[int, Waiter] {
	return func(yield func(int, Waiter) bool) {
		first := make(map[Waiter]int, len(ws))
		for i := len(ws) - 1; i >= 0; i-- {
			first[ws[i]] = i
		}
		settled := make(chan int, len(first))
		stop := make(chan struct{})
		var watchers sync.WaitGroup
		defer watchers.Wait()
		defer close(stop)
		for w, i := range first {
			done := w.Done() // asked here: a nil Waiter panics in the loop's goroutine
			watchers.Go(func() {
				select {
				case <-done:
					settled <- i
				case <-stop:
				}
			})
		}
		for len(first) > 0 {
			select {
			case i := <-settled:
				delete(first, ws[i])
				if !yield(i, ws[i]) {
					return
				}
			case <-ctx.Done():
				for i, w := range ws {
					if at, left := first[w]; left && at == i && isDone(w) {
						delete(first, w)
						if !yield(i, w) {
							return
						}
					}
				}
				return
			}
		}
	}
}

func isDone(w Waiter) bool {
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}

// Go starts a call and returns at once. ctx owns the work: when it ends, the
// call is cancelled. A pool has accepted the call when Go returns: calls get their
// turn in the order they were made, and Shutdown waits for them.
func (p Placed[In, Out]) Go(ctx context.Context, in In) *Future[Out] {
	f := &Future[Out]{done: make(chan struct{}), cancel: func(error) {}}
	if f.err = p.check(ctx); f.err != nil {
		close(f.done)
		return f
	}
	ctx, cancel := context.WithCancelCause(ctx)
	f.cancel = cancel
	c := p.job(ctx, in)
	if a, ok := p.runner.(Admitter); ok {
		if c.ticket, f.err = a.Admit(ctx, &c.Job); f.err != nil {
			cancel(nil)
			close(f.done)
			return f
		}
	}
	go func() {
		defer close(f.done)
		defer cancel(nil)
		f.err = &PanicError{Value: goexit} // stands only if Inline's task ends this goroutine
		f.value, f.err = c.result(p.runner.Run(ctx, &c.Job))
	}()
	return f
}
