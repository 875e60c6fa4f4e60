package process

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
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
	// The task's types are hidden by a Placed on a place of its own, so that one
	// file of the root package turns values into bytes and back.
	booted := make(chan error, 1)
	r := &run{config: cfg, booted: booted}
	ctx, h.cancel = context.WithCancelCause(ctx)
	go func() {
		defer close(h.done)
		h.value, h.err = t.On(r).Call(ctx, in)
		h.cancel(nil)
	}()
	if err := <-booted; err != nil {
		<-h.done
		return nil, err
	}
	h.Process = r.worker.process
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

// run is the Runner of one Start: it starts a process for its only job.
type run struct {
	config Config
	booted chan<- error
	worker *worker
}

func (r *run) Width() int { return 1 }

func (r *run) Run(ctx context.Context, j *tandem.Job) error {
	limits := j.Spec().Limits.Or(r.config.Limits)
	var h codec.Handles
	frame, w, err := r.boot(ctx, j, limits, &h)
	r.worker = w
	if err != nil {
		r.booted <- err
		return err
	}
	l := w.lanes[0]
	l.number(j.Spec().Name, limits)
	end := l.watch(ctx)
	go func() { // the keeper: notices the worker's last word and its end
		w.awaken()
		select {
		case <-w.gone:
		default:
			w.listen(0)
			w.bury()
		}
	}()
	err = l.send(frame, &h)
	r.booted <- nil // not before: the argument's files are the caller's again, to close
	if err == nil {
		err = l.reply(j, limits)
	}
	cause := end()
	if err != errDied {
		w.leave() // it leaves by itself; this is for one that does not
	}
	<-w.gone
	switch {
	case cause != nil && err != nil:
		return cause
	case err == errDied && w.phase < child.PhaseServing:
		return w.stillbirth()
	case err == errDied:
		return w.death.crash(j.Spec().Name)
	case err == nil:
		return w.farewell()
	}
	return err
}

// boot encodes the call and starts the process.
func (r *run) boot(ctx context.Context, j *tandem.Job, limits tandem.Limits, h *codec.Handles) ([]byte, *worker, error) {
	if err := checkStart(); err != nil {
		return nil, nil, err
	}
	if err := r.config.check(); err != nil {
		return nil, nil, err
	}
	frame, err := encode(ctx, j, limits, limits.Memory, nil, h)
	if err != nil {
		return nil, nil, err
	}
	r.config.Limits = limits
	name := r.config.Name
	if name == "" {
		name = nextName()
	}
	w, err := launch(&plan{Config: r.config, single: true, maxProcs: childProcs(1, 1), vars: child.Root.Snapshot()}, name)
	if err != nil {
		return nil, nil, fmt.Errorf("tandem: process %s: %w", name, err)
	}
	return frame, w, nil
}
