package thread

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
)

// Config is how a thread is started. Its zero value is ready.
type Config struct {
	// Name is the thread's name; empty means "Thread-1 (run)", with a running
	// number and the function's name. Linux shows its first 15 bytes.
	Name string

	// CPUs are the processors the thread may run on, counted from 0; empty means
	// all that the program may use. A processor that cannot be used is an error.
	CPUs []int
}

// Start runs f on a new OS thread and returns when the thread runs. The thread
// ends when f does. ctx owns the work: f gets a context that ends with it.
//
// Start itself cannot fail; what prevents the thread (a nil f or ctx, a ctx that
// has ended, CPUs that cannot be used) is the outcome in the Handle.
func Start[Out any](ctx context.Context, cfg Config, f func(ctx context.Context) (Out, error)) *Handle[Out] {
	name := cfg.Name
	if name == "" {
		name = defaultName(f)
	}
	h := &Handle[Out]{cancel: func(error) {}}
	switch {
	case ctx == nil:
		h.err = fmt.Errorf("tandem: thread %s: the context is nil; use context.Background()", name)
	case f == nil:
		h.err = fmt.Errorf("tandem: thread %s: the function is nil", name)
	case ctx.Err() != nil:
		h.err = context.Cause(ctx)
	}
	if h.err != nil {
		h.Thread = stillborn(name)
		return h
	}
	ctx, h.cancel = context.WithCancelCause(ctx)
	h.Thread = newThread(name)
	cpus := slices.Clone(cfg.CPUs)
	h.Thread.start(func() {
		defer h.cancel(nil)
		h.err = &tandem.PanicError{Value: goexit} // stands only if f ends its goroutine
		if err := pin(cpus); err != nil {
			h.err = fmt.Errorf("tandem: thread %s: %w", name, err)
			return
		}
		h.out, h.err = call(ctx, f)
	})
	<-h.Thread.running
	return h
}

// Handle is a started thread and the outcome of its function. It settles exactly
// once, with f's value, f's error, *tandem.PanicError if f panicked or called
// [runtime.Goexit], or the cause of its context if that ended and f returned an
// error then. Its methods are safe for concurrent use.
type Handle[Out any] struct {
	// Thread is the thread itself.
	Thread *Thread

	cancel context.CancelCauseFunc
	out    Out
	err    error
}

// Wait returns the outcome, any number of times, always the same. If ctx ends
// first it returns context.Cause(ctx): only the waiting ends, the thread goes on.
func (h *Handle[Out]) Wait(ctx context.Context) (Out, error) {
	select {
	case <-h.Done(): // settled wins over a context that has ended too
		return h.out, h.err
	default:
	}
	select {
	case <-h.Done():
		return h.out, h.err
	case <-ctx.Done():
		var zero Out
		return zero, context.Cause(ctx)
	}
}

// Done is closed when the thread has settled.
func (h *Handle[Out]) Done() <-chan struct{} { return h.Thread.done }

// Err is the error the thread settled with: nil before it settles and after a
// success.
func (h *Handle[Out]) Err() error {
	select {
	case <-h.Done():
		return h.err
	default:
		return nil
	}
}

// Cancel asks f to stop: its context ends with context.Canceled. It does not
// block, and it cannot force: a thread runs until its function returns.
func (h *Handle[Out]) Cancel() { h.cancel(context.Canceled) }

const goexit = "runtime.Goexit called"

// call runs f and turns a panic into an error. It returns a value or an error,
// never both.
func call[Out any](ctx context.Context, f func(context.Context) (Out, error)) (out Out, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
		if err == nil {
			return
		}
		var zero Out
		out = zero
		if ctx.Err() != nil {
			err = context.Cause(ctx) // the first cause wins over what f made of it
		}
	}()
	return f(ctx)
}

func panicError(v any) error {
	e := &tandem.PanicError{Value: fmt.Sprint(v), Stack: debug.Stack()}
	e.Err, _ = v.(error)
	return e
}

// pin binds the calling thread to cpus, all of them or none.
func pin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	before, err := sys.Affinity(0)
	if err != nil {
		return fmt.Errorf("CPUs %v: %w", cpus, err)
	}
	err = sys.SetAffinity(0, cpus)
	if err == nil {
		// Of a set that is partly usable the kernel silently takes that part.
		var got []int
		if got, err = sys.Affinity(0); err == nil && !sameSet(got, cpus) {
			err = errors.New("not all of them can be used")
		}
	}
	if err != nil {
		return fmt.Errorf("CPUs %v: %w; this program may use %v", cpus, err, before)
	}
	return nil
}

func sameSet(sorted, cpus []int) bool {
	cpus = slices.Clone(cpus)
	slices.Sort(cpus)
	return slices.Equal(sorted, slices.Compact(cpus))
}
