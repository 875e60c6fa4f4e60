package coroutine

import (
	"errors"
	"iter"
	"sync/atomic"
)

// ErrDone is what [Coroutine.Send] and [Coroutine.Next] return when the body
// has returned nil or the coroutine was stopped: there are no more values.
var ErrDone = errors.New("tandem: coroutine: it has ended; there are no more values")

// ErrSwallowed is returned by [Coroutine.Stop] when the body recovered the
// panic by which Stop unwinds it and then returned as if nothing had been.
var ErrSwallowed = errors.New("tandem: coroutine: its body recovered the panic that Stop unwinds it with; panic again with what recover returned if it is not yours")

// A Coroutine runs a body in turns with whoever resumes it. Send is the type
// of the values that the resumer hands in, Recv of those it gets out, as in
// v, err := c.Send(s).
//
// Make one with [New]; the zero value panics when it is resumed. It may move
// between goroutines, but only one may resume it at a time: a second resume
// while the body runs, also from inside the body, panics. A resume costs about
// 100 ns, making and ending one about a microsecond.
type Coroutine[Send, Recv any] struct {
	state atomic.Uint32
	next  func() (Recv, bool)
	stop  func()
	in    Send  // on its way into the body
	err   error // why the body failed; written before state becomes ended
	stops bool  // Stop is unwinding the body
	owner twin
}

const (
	unmade uint32 = iota
	suspended
	running
	ended
)

// A Yielder is the body's side of a [Coroutine].
type Yielder[Send, Recv any] struct {
	c     *Coroutine[Send, Recv]
	yield func(Recv) bool
}

// New makes a coroutine of body without running any of it. The first Send
// begins the body and arrives as first; each later one arrives as the result
// of the Yield that the body stands at. So no value sent is lost.
//
// What body returns is the outcome: see [Coroutine.Err].
func New[Send, Recv any](body func(y *Yielder[Send, Recv], first Send) error) *Coroutine[Send, Recv] {
	if body == nil {
		panic("tandem: coroutine: New of a nil function")
	}
	c := &Coroutine[Send, Recv]{}
	c.next, c.stop = iter.Pull(func(yield func(Recv) bool) {
		c.owner.bind()
		y := &Yielder[Send, Recv]{c, yield}
		frame(func() error { return body(y, c.take()) }, c.settle)
	})
	c.state.Store(suspended)
	return c
}

// Yield hands v to the resumer, waits for the next resume and returns what
// that one sent. It must be called on the body's own goroutine. When the
// coroutine is stopped, Yield does not return but unwinds the body with a
// private panic, so that its deferred calls run; a recover of yours that gets
// an unknown value should panic with it again.
func (y *Yielder[Send, Recv]) Yield(v Recv) Send {
	c := y.c
	if c.state.Load() != running {
		panic("tandem: coroutine: Yield outside of a running body; call it only from the function given to New")
	}
	c.owner.check()
	if !y.yield(v) {
		panic(unwind)
	}
	return c.take()
}

// Send resumes the body with v and blocks until it yields or ends. It returns
// what the body yielded, or else the outcome: the body's error, a
// [*tandem.PanicError] if it panicked or called runtime.Goexit, and [ErrDone]
// if it returned nil. From then on it returns that outcome at once.
func (c *Coroutine[Send, Recv]) Send(v Send) (Recv, error) {
	var none Recv
	if !c.begin() {
		return none, c.outcome()
	}
	c.in = v
	if out, ok := c.resume(); ok {
		c.state.Store(suspended)
		return out, nil
	}
	c.state.Store(ended)
	return none, c.outcome()
}

// Next is Send with the zero value, for bodies that do not look at what is
// sent.
func (c *Coroutine[Send, Recv]) Next() (Recv, error) {
	var zero Send
	return c.Send(zero)
}

// Stop ends the coroutine: the body unwinds from its Yield, its deferred calls
// run, and Stop returns when they have. A body that has not begun never does.
// Stopping an ended coroutine does nothing, so Stop can always be deferred.
//
// It returns what [Coroutine.Err] returns: nil unless the body failed, be it
// before or while it unwound, or swallowed the unwinding ([ErrSwallowed]).
func (c *Coroutine[Send, Recv]) Stop() error {
	if !c.begin() {
		return c.err
	}
	c.stops = true
	func() {
		defer absorb()
		c.stop()
	}()
	c.state.Store(ended)
	return c.err
}

// Err returns the error that the body failed with, and nil as long as it has
// not ended, when it returned nil and when it was stopped in good order.
func (c *Coroutine[Send, Recv]) Err() error {
	if c.state.Load() != ended {
		return nil
	}
	return c.err
}

// All is the coroutine as a sequence for range: each value with a nil error,
// and if the body fails, a last pair of a zero value and that error. Leaving
// the loop stops the coroutine; what went wrong then is left in Err. The
// sequence can be used once, since the coroutine can.
func (c *Coroutine[Send, Recv]) All() iter.Seq2[Recv, error] {
	return func(yield func(Recv, error) bool) {
		defer c.Stop()
		for {
			v, err := c.Next()
			if err == ErrDone || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// begin takes the right to run the body. It is false when the body has ended.
func (c *Coroutine[Send, Recv]) begin() bool {
	if c.state.CompareAndSwap(suspended, running) {
		return true
	}
	switch c.state.Load() {
	case ended:
		return false
	case unmade:
		panic("tandem: coroutine: not made by New")
	}
	panic("tandem: coroutine: resumed while it runs, from inside its own body or from two goroutines at once; let one of them own it")
}

// resume runs the body up to its next yield. The deferred call is why it is a
// function of its own: after a Goexit, next panics and ok is false.
func (c *Coroutine[Send, Recv]) resume() (out Recv, ok bool) {
	defer absorb()
	return c.next()
}

// take empties the slot, so that a suspended coroutine keeps nothing alive.
func (c *Coroutine[Send, Recv]) take() (v Send) {
	v, c.in = c.in, v
	return v
}

// settle records how the body ended. It runs on the body's goroutine.
func (c *Coroutine[Send, Recv]) settle(err error, returned bool) {
	if c.stops && returned {
		err = errors.Join(ErrSwallowed, err)
	}
	c.err = err
}

func (c *Coroutine[Send, Recv]) outcome() error {
	if c.err != nil {
		return c.err
	}
	return ErrDone
}
