package coroutine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tandem-go/tandem"
)

// Await waits until w has settled and returns its error; what else it holds is
// then there to be read without blocking. If ctx ends first, Await returns its
// cause, and w goes on. Futures, process handles, threads and tasks of this
// and other loops are Waiters. If w has settled already, Await returns at once;
// else it costs a goroutine for the time of the wait, except for a task of the
// same loop.
func Await(ctx context.Context, w tandem.Waiter) error {
	t := current(ctx, "Await")
	if w == nil {
		panic("tandem: loop: Await of a nil Waiter")
	}
	var err error
	if in, ok := w.(interface{ base() *task }); ok {
		err = in.base().join(ctx)
	} else {
		err = t.awaitDone(ctx, w.Done(), fmt.Sprintf("a %T", w))
	}
	if err != nil {
		return err
	}
	return w.Err()
}

// AwaitChan receives from c: v, ok as in v, ok := <-c, and a nil err. It gives
// the turn away at least once. If ctx ends first it returns its cause, and no
// value has been taken from c. A nil channel waits for ctx alone. A wait costs
// a goroutine as long as it lasts.
func AwaitChan[T any](ctx context.Context, c <-chan T) (v T, ok bool, err error) {
	t := current(ctx, "AwaitChan")
	if err := cause(ctx); err != nil {
		return v, false, err
	}
	select {
	case v, ok = <-c:
		t.giveWay() // a channel that is always full must not keep the loop
		return v, ok, nil
	default:
	}
	if c == nil {
		t.park(ctx, wait{what: "a nil channel"})
		return v, false, context.Cause(ctx)
	}
	received := false
	stop := make(chan struct{})
	t.outside(ctx, wait{what: fmt.Sprintf("a %T", c), stop: stop}, func() {
		select {
		case v, ok = <-c:
			received = true
		case <-stop:
		}
	})
	if !received {
		err = context.Cause(ctx)
	}
	return v, ok, err
}

// awaitDone waits for done. It returns nil when done is closed.
func (t *task) awaitDone(ctx context.Context, done <-chan struct{}, what string) error {
	select {
	case <-done:
		return nil
	default:
	}
	if err := cause(ctx); err != nil {
		return err
	}
	if done == nil {
		t.park(ctx, wait{what: what + ", which never settles"})
		return context.Cause(ctx)
	}
	closed := false
	stop := make(chan struct{})
	t.outside(ctx, wait{what: what, stop: stop}, func() {
		select {
		case <-done:
			closed = true
		case <-stop:
		}
	})
	if closed {
		return nil
	}
	return context.Cause(ctx)
}

// outside parks t until f, which runs on a goroutine of its own, has returned.
// f ends soon after w.stop is closed; without stop, the wait may end before f.
func (t *task) outside(ctx context.Context, w wait, f func()) {
	s, gen := t.s, t.gen+1 // the number that park gives the wait
	w.helper = func() {
		defer s.tell(note{t, gen}) // f may end by Goexit
		f()
	}
	s.outside++
	t.park(ctx, w)
	s.outside--
}

// Blocking runs f on a goroutine of its own and waits for it, while the other
// coroutines go on. It is for calls that block: files, C, a mutex. It costs
// tens of microseconds where the loop is idle meanwhile, because a thread has
// to be woken.
//
// If ctx ends first, Blocking returns its cause at once, but nothing can stop
// f: it runs on, its result is dropped, and Run does not return before it has
// ended. If f panics or calls runtime.Goexit, that is a [*tandem.PanicError]
// here, or in Run's error if nobody waits any more. There is no bound on how
// many run at once; for one, use a task on tandem.Goroutines(n) and Await.
func Blocking[T any](ctx context.Context, f func() (T, error)) (T, error) {
	t := current(ctx, "Blocking")
	if f == nil {
		panic("tandem: loop: Blocking of a nil function")
	}
	var none T
	if err := cause(ctx); err != nil {
		return none, err
	}
	c := &call[T]{s: t.s, by: t}
	t.outside(ctx, wait{what: "a blocking call"}, func() { c.run(f) })
	if c.state.CompareAndSwap(callRuns, callLeft) {
		return none, context.Cause(ctx)
	}
	return c.out, c.err
}

// A call is a blocking call that may be left by the one who waits for it. Its
// goroutine owns out and err until state says that it has ended.
type call[T any] struct {
	s     *sched
	by    *task
	state atomic.Uint32
	out   T
	err   error
}

const (
	callRuns uint32 = iota
	callEnded
	callLeft // nobody waits; the result is dropped
)

func (c *call[T]) run(f func() (T, error)) {
	returned := false
	defer func() {
		if !returned {
			c.err = endedBy(recover())
		}
		if c.state.CompareAndSwap(callRuns, callEnded) {
			return
		}
		if _, ok := errors.AsType[*tandem.PanicError](c.err); ok {
			c.s.stray(fmt.Errorf("tandem: loop: a blocking call that coroutine %s had left: %w", c.by.Name(), c.err))
		}
	}()
	c.out, c.err = f()
	returned = true
}
