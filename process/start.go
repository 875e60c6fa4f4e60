package process

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/leak"
)

// Start runs a task in a process of its own and returns when it has been
// started. ctx owns the work: when it ends, the task is asked to stop and killed
// after the grace time. Errors of the argument, of cfg and of the start itself
// are returned here; what becomes of the task is the Handle's.
//
// It costs an exec of this program's binary, or, with a Standby that has a process
// ready, a wake. Where the process is born with one processor, runtime.GOMAXPROCS is 1
// there until the task first waits, or has run for some 10 ms, and then 2.
func Start[In, Out any](ctx context.Context, cfg Config, t *tandem.Task[In, Out], in In) (*Handle[Out], error) {
	if err := needContext(ctx, "process.Start"); err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errors.New("tandem: process.Start: the task is nil")
	}
	cfg.Standby.rouse()
	h := &Handle[Out]{answered: make(chan struct{}), done: make(chan struct{})}
	h.run = &run{config: cfg, handle: h}
	ctx, h.cancel = context.WithCancelCause(ctx)
	job, outcome, err := t.On(nil).Prepare(ctx, in)
	if err == nil {
		h.mark = leak.Open("process of process.Start", job.Spec().Name)
		h.outcome = outcome
		h.Process, err = h.run.start(ctx, job)
	}
	if err != nil {
		h.mark.Close()
		h.cancel(nil)
		return nil, err
	}
	return h, nil
}

// needContext refuses a nil context, which would be a panic somewhere inside.
func needContext(ctx context.Context, what string) error {
	if ctx == nil {
		return fmt.Errorf("tandem: %s: the context is nil; use context.Background()", what)
	}
	return nil
}

// Handle is a task in a process of its own. It settles exactly once, when the
// process has ended. Its methods are safe for concurrent use.
type Handle[Out any] struct {
	// Process describes the process.
	Process *Process

	run      *run
	outcome  func(error) (Out, error)
	answered chan struct{} // closed when value and err are known
	done     chan struct{} // closed when last is
	cancel   context.CancelCauseFunc
	value    Out
	err      error // of the task
	last     error // with what was wrong with the process's end
	mark     *leak.Mark
}

// Wait returns the outcome when the process has ended, any number of times,
// always the same. If ctx ends first, it returns context.Cause(ctx) and the
// process goes on.
func (h *Handle[Out]) Wait(ctx context.Context) (v Out, err error) {
	h.run.hurry()
	h.run.attend()
	if !await(ctx, h.done) {
		return v, context.Cause(ctx)
	}
	if h.last == nil {
		v = h.value
	}
	return v, h.last
}

// Result returns the outcome of the task as soon as it is there; the process may
// still be about to end. Wait may add an error about that end: in a race build, a
// data race. If ctx ends first, it returns context.Cause(ctx) and the process goes
// on. With an answer that comes within microseconds no goroutine is switched.
func (h *Handle[Out]) Result(ctx context.Context) (v Out, err error) {
	h.run.hurry()
	if !await(ctx, h.answered) {
		return v, context.Cause(ctx)
	}
	return h.value, h.err
}

// await reports false if ctx ends before c is closed.
func await(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
	}
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// Done is closed when the handle has settled.
func (h *Handle[Out]) Done() <-chan struct{} { return h.done }

// Err is the error the handle settled with: nil before it settles and after a
// success.
func (h *Handle[Out]) Err() error {
	select {
	case <-h.done:
		return h.last
	default:
		return nil
	}
}

// Cancel asks the task to stop, by its context, and kills the process after the
// grace time. It does not block.
func (h *Handle[Out]) Cancel() { h.cancel(context.Canceled) }

// answer is called once, when it is known what became of the task.
func (h *Handle[Out]) answer(err error) {
	h.value, h.err = h.outcome(err)
	h.cancel(nil)
	close(h.answered)
}

// settle is called once, after answer, when the process has ended.
func (h *Handle[Out]) settle(parting error) {
	h.last = h.err
	if parting != nil {
		h.last = errors.Join(h.err, parting)
	}
	h.mark.Close()
	close(h.done)
}
