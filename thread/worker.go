package thread

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
)

// worker is one thread of a Pool.
type worker struct {
	state  *state
	thread *Thread
	inbox  chan *work    // capacity 1: the state sends only to idle workers; nil ends it
	up     chan struct{} // closed after Setup, also a failed one

	ctx  context.Context         // the thread's own
	stop context.CancelCauseFunc // ends ctx, and with it the task that runs

	// Under the state's mutex:
	ready bool  // Setup has ended
	work  *work // in its hands, nil for none
}

func newWorker(s *state, name string) *worker {
	wk := &worker{state: s, thread: newThread(name), inbox: make(chan *work, 1), up: make(chan struct{})}
	wk.ctx, wk.stop = context.WithCancelCause(context.Background())
	return wk
}

// live is the thread's life. Only a task that calls Goexit ends it before its
// time.
func (wk *worker) live() {
	defer wk.state.leave(wk)
	defer wk.stop(tandem.ErrClosed)
	values, ok := wk.prepare()
	for ok {
		w := wk.state.next(wk)
		if w == nil {
			return
		}
		wk.run(w, values)
	}
}

// prepare runs Setup. If it fails, so does the pool.
func (wk *worker) prepare() (values context.Context, ok bool) {
	var err error
	defer func() {
		if err != nil {
			wk.state.fail(fmt.Errorf("tandem: thread.Pool %s: %w", wk.state.name, err))
		}
		wk.state.mu.Lock()
		wk.ready = true
		wk.state.mu.Unlock()
		close(wk.up)
	}()
	if err = pin(wk.state.cpus); err != nil || wk.state.setup == nil {
		return wk.ctx, err == nil
	}
	err = fmt.Errorf("Setup: %w", &tandem.PanicError{Value: goexit}) // stands only if Setup ends its goroutine
	values, err = call(wk.ctx, wk.state.setup)
	if err == nil && values == nil {
		err = errors.New("it returned a nil context")
	}
	if err != nil {
		err = fmt.Errorf("Setup: %w", err)
	}
	return values, err == nil
}

// run runs one task on this thread and settles it.
func (wk *worker) run(w *work, values context.Context) {
	ctx, cancel := context.WithCancelCause(taskContext{w.ctx, values})
	// The thread's context ends while a task runs only if Close asks.
	unlink := context.AfterFunc(wk.ctx, func() { cancel(context.Cause(wk.ctx)) })
	err := error(&tandem.PanicError{Value: goexit}) // stands only if the task ends its goroutine
	defer func() {
		wk.free()
		unlink()
		cancel(nil)
		w.settle(err)
	}()
	err = w.job.Invoke(ctx)
}

// taskContext is a call's context with its thread's values behind it.
type taskContext struct {
	context.Context
	thread context.Context
}

// Value asks the call's context first: who calls knows better.
func (c taskContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.thread.Value(key)
}

func (wk *worker) free() {
	wk.state.mu.Lock()
	wk.work = nil
	wk.state.mu.Unlock()
}

// doing says what the worker does, "" for nothing. The state's mutex is held.
func (wk *worker) doing() string {
	switch {
	case wk.work != nil:
		return wk.work.job.Spec().Name
	case !wk.ready && wk.state.setup != nil:
		return "Setup"
	}
	return ""
}
