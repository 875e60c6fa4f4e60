package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
)

// Start runs a task in a process of its own and returns when it has been
// started. ctx owns the work: when it ends, the task is asked to stop and killed
// after the grace time. Errors of the argument, of cfg and of the start itself
// are returned here; what becomes of the task is the Handle's.
//
// It costs an exec of this program's binary.
func Start[In, Out any](ctx context.Context, cfg Config, t *tandem.Task[In, Out], in In) (*Handle[Out], error) {
	if err := needContext(ctx, "process.Start"); err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errors.New("tandem: process.Start: the task is nil")
	}
	h := &Handle[Out]{done: make(chan struct{})}
	ctx, h.cancel = context.WithCancelCause(ctx)
	r := &run{config: cfg}
	job, outcome, err := t.On(nil).Prepare(ctx, in)
	if err == nil {
		err = r.start(ctx, job)
	}
	if err != nil {
		h.cancel(nil)
		return nil, err
	}
	h.Process = r.worker.process
	go func() {
		defer close(h.done)
		h.value, h.err = outcome(r.finish())
		h.cancel(nil)
	}()
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

	done   chan struct{}
	cancel context.CancelCauseFunc
	value  Out
	err    error
}

// Wait returns the outcome when the process has ended, any number of times,
// always the same. If ctx ends first, it returns context.Cause(ctx) and the
// process goes on.
func (h *Handle[Out]) Wait(ctx context.Context) (Out, error) {
	select {
	case <-h.done:
		return h.value, h.err
	default:
	}
	select {
	case <-h.done:
		return h.value, h.err
	case <-ctx.Done():
		var zero Out
		return zero, context.Cause(ctx)
	}
}

// Done is closed when the handle has settled.
func (h *Handle[Out]) Done() <-chan struct{} { return h.done }

// Err is the error the handle settled with: nil before it settles and after a
// success.
func (h *Handle[Out]) Err() error {
	select {
	case <-h.done:
		return h.err
	default:
		return nil
	}
}

// Cancel asks the task to stop, by its context, and kills the process after the
// grace time. It does not block.
func (h *Handle[Out]) Cancel() { h.cancel(context.Canceled) }

// run is one Start without its types.
type run struct {
	config Config
	limits tandem.Limits
	job    *tandem.Job
	worker *worker
	flight *flight
	late   *time.Timer // ends a process that does not reach Init
	sent   error
}

// start starts the process and sends it its call. It is done by the goroutine
// that calls Start: another would only have to grow its stack first.
func (r *run) start(ctx context.Context, j *tandem.Job) error {
	if err := checkStart(); err != nil {
		return err
	}
	r.job, r.limits = j, j.Spec().Limits.Or(r.config.Limits)
	r.config.Limits = r.limits
	if err := r.config.check(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	name := r.config.Name
	if name == "" {
		name = nextName()
	}
	w, err := launch(&plan{Config: r.config, single: true, maxProcs: childProcs(1, 1), vars: child.Root.Snapshot()}, name)
	if err != nil {
		return fmt.Errorf("tandem: process %s: %w", name, err)
	}
	// Encoded while the process boots: an argument that cannot be is rare, and then
	// the process ends before it has begun.
	m := messages.Get().(*message)
	defer m.free()
	if err := m.encode(ctx, j, r.limits, w.plan); err != nil {
		w.abandon()
		return err
	}
	r.worker = w
	r.late = time.AfterFunc(w.plan.initTimeout(), w.tooSlow)
	r.flight = w.lanes[0].board(clock())
	r.flight.begin(ctx, j.Spec().Name, r.limits, 1, true)
	r.flight.Sleep()
	m.stamp()
	r.sent = r.flight.send(m) // what went wrong here is the handle's to tell
	return nil
}

// finish waits for the outcome and for the end of the process.
func (r *run) finish() error {
	w, err := r.worker, r.sent
	if err == nil {
		err = r.flight.reply(r.job, r.limits)
	}
	cause := r.flight.end()
	if err != errDied {
		w.leave() // it leaves by itself; this is for one that does not
	}
	w.listen(0) // its last words
	r.late.Stop()
	w.bury()
	switch {
	case cause != nil && err != nil:
		return cause
	case err == errDied && w.phase < child.PhaseServing:
		return w.stillbirth()
	case err == errDied:
		return w.death.crash(r.job.Spec().Name)
	}
	if parting := w.farewell(); parting != nil {
		return errors.Join(err, parting)
	}
	return err
}
