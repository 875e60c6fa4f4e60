package tandem

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Item is one outcome of Unordered: the input with what became of it.
type Item[In, Out any] struct {
	Index int // of the input, from 0; -1 for the last item after ctx ended
	In    In
	Out   Out
	Err   error
}

// Window returns p with the number of inputs that Map, Unordered and All read ahead
// of the loop: what waits, runs, or is done and not yet yielded. Zero is automatic:
// twice the place's Width, and more, at most MaxWindow, when the tasks turn out so
// short that the place sends them in batches. A negative n panics.
//
// In a wide window not every item that leaves makes room at once, but about an eighth of
// the window. So what the loop waits for, its body and the tasks, must not wait in
// turn for seq to be read on.
func (p Placed[In, Out]) Window(n int) Placed[In, Out] {
	if n < 0 {
		panic(fmt.Sprintf("tandem: Window(%d): a window cannot be negative; zero means an automatic one", n))
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
	var errs []error // nil while nothing has failed
	fail := func(i int, err error) {
		if errs == nil {
			errs = make([]error, len(ins))
		}
		errs[i] = &ItemError{i, err}
	}
	seen := make([]bool, len(ins))
	cause := p.stream(ctx, slices.Values(ins), func(s *stream[In, Out], sp span[In, Out]) bool {
		for i := sp.from; i < sp.to; i++ {
			at, err := sp.run.first+i, error(nil)
			s.window.free()
			seen[at] = true
			if outs[at], err = result(sp.run.outs, sp.errs, i); err != nil {
				fail(at, err)
			}
		}
		s.popped(sp)
		return true
	})
	if cause != nil {
		for i := range seen { // what was never run shares the cause
			if !seen[i] {
				fail(i, cause)
			}
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
// panic is raised again in the loop's goroutine. It is not asked for more when the loop
// has been left or has seen the end of ctx, but for what it waits for itself then, the
// loop waits too.
func (p Placed[In, Out]) Map(ctx context.Context, seq iter.Seq[In]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		early := map[int]span[In, Out]{} // settled before one that comes first; they count in the window
		next := 0
		cause := p.stream(ctx, seq, func(s *stream[In, Out], sp span[In, Out]) bool {
			if sp.first() != next {
				early[sp.first()] = sp
				return true
			}
			for more := true; more; {
				for i := sp.from; i < sp.to; i++ {
					if s.ended() {
						return true
					}
					s.window.free()
					if !yield(result(sp.run.outs, sp.errs, i)) {
						return false
					}
				}
				s.popped(sp)
				next += sp.to - sp.from
				if sp, more = early[next]; more {
					delete(early, next)
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
		cause := p.stream(ctx, seq, func(s *stream[In, Out], sp span[In, Out]) bool {
			for i := sp.from; i < sp.to; i++ {
				if s.ended() {
					return true
				}
				s.window.free()
				it := Item[In, Out]{Index: sp.run.first + i, In: sp.run.ins[i]}
				it.Out, it.Err = result(sp.run.outs, sp.errs, i)
				if !yield(it) {
					return false
				}
			}
			s.popped(sp)
			return true
		})
		if cause != nil {
			yield(Item[In, Out]{Index: -1, Err: cause})
		}
	}
}
