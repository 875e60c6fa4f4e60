package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
)

// placeEnv with the value inline makes every pool, service and process.Start run its
// tasks in this process, for a debugger or a profiler that sees one process only.
const placeEnv = "TANDEM_PLACE"

// inlined reports whether placeEnv says so. It is read once, and the first who asks
// gets it said on standard error, since limits are not kept then.
var inlined = sync.OnceValue(func() bool {
	if os.Getenv(placeEnv) != "inline" {
		return false
	}
	fmt.Fprintln(os.Stderr, "tandem: TANDEM_PLACE=inline: tasks run in this process; none is killed, limited or survived")
	return true
})

// checkPlace refuses a placeEnv that means nothing.
var checkPlace = sync.OnceValue(func() error {
	if v := os.Getenv(placeEnv); v != "" && v != "inline" {
		return fmt.Errorf("tandem: %s is %q in the environment; it is inline, or not set", placeEnv, v)
	}
	return nil
})

// residence is the key, in the context of a method, of where the value of its service
// lives: in this process there may be several.
type residence struct{}

// home returns the place for the value of the service that ctx belongs to.
func home(ctx context.Context) *atomic.Pointer[any] {
	if inlined() {
		if h, ok := ctx.Value(residence{}).(*atomic.Pointer[any]); ok {
			return h
		}
	}
	return &resident
}

// execute runs a job here as a worker would run it: what goes in and what comes out is
// a copy, values of the context do not cross, and a task that ends its goroutine ends
// only that. value is where the value of its service lives, nil for none.
func execute(ctx context.Context, j *tandem.Job, limits tandem.Limits, value *atomic.Pointer[any]) error {
	spec := j.Spec()
	spec.Limits = tandem.Limits{Output: limits.Output}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if limits.Time > 0 { // it asks the task to stop, which is all that can be done
		late := time.AfterFunc(limits.Time, func() {
			stop(fmt.Errorf("tandem: %s: stopped after %v: %w", spec.Name, limits.Time, tandem.ErrTimeout))
		})
		defer late.Stop()
	}
	var sent, came, back tandem.Handles
	defer came.Close()
	defer back.Close()
	in, err := j.AppendInput(nil, &sent)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = came.Duplicate(&sent)
	}
	if err != nil {
		return err
	}
	own, cancel := detached(ctx, value)
	defer cancel(nil)
	var out []byte
	if out, err = far(own, spec, in, &came); err != nil {
		return err
	}
	// The descriptors of a result are lent by the task, and the receiver's own.
	if err := back.Duplicate(&came); err != nil {
		return err
	}
	err = j.SetOutput(out, &back)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // the first cause wins
	}
	return err
}

// far runs the task in a goroutine of its own.
func far(ctx context.Context, spec tandem.Spec, in []byte, h *tandem.Handles) (out []byte, err error) {
	done := make(chan struct{})
	out = tandem.AppendFailure(nil, child.Root.Goexit)
	go func() {
		defer close(done)
		var result []byte
		result, err = tandem.Execute(ctx, spec, in, h, nil)
		out = result
	}()
	<-done
	return out, err
}

// detached is a context that ends with ctx, with its deadline and Meta and without its
// other values.
func detached(ctx context.Context, value *atomic.Pointer[any]) (own context.Context, cancel context.CancelCauseFunc) {
	own = context.Background()
	if value != nil {
		own = context.WithValue(own, residence{}, value)
	}
	own, stop := context.WithCancelCause(own)
	unhook := context.AfterFunc(ctx, func() { stop(context.Cause(ctx)) })
	end := func() {}
	if until, bounded := ctx.Deadline(); bounded {
		own, end = context.WithDeadline(own, until)
	}
	return own, func(cause error) { unhook(); stop(cause); end() }
}

// inlineProcess describes a process that is none.
func inlineProcess(name string) *Process {
	p := described(name, os.Getpid())
	p.done = make(chan struct{})
	children.Lock()
	defer children.Unlock()
	children.alive = append(children.alive, p)
	return p
}

// startInline is the rest of Start when tasks run in this process.
func (r *run) startInline(ctx context.Context, j *tandem.Job) (*Process, error) {
	if s := r.config.Standby; s != nil {
		if _, err := s.lend(&r.config); err != nil {
			return nil, err
		}
	}
	r.config.Limits = j.Spec().Limits.Or(r.config.Limits)
	if err := errors.Join(checkPlace(), checkStart(), r.config.check()); err != nil {
		return nil, err
	}
	var h tandem.Handles
	if _, err := j.AppendInput(nil, &h); err != nil {
		return nil, err // the argument's errors are those of Start
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	name := r.config.Name
	if name == "" {
		name = nextName()
	}
	p := inlineProcess(name)
	r.claimed, r.parted = true, true // nobody else need read the outcome, or let go
	go func() {
		err := execute(ctx, j, r.config.Limits, nil)
		r.handle.answer(err)
		code := 0
		if err != nil {
			code = 1
		}
		p.endedWith(code)
		r.handle.settle(nil)
	}()
	return p, nil
}

// errInline is why a process that is none cannot be ended.
func errInline(p *Process) error {
	return fmt.Errorf("tandem: %s runs in this process (%s=inline) and cannot be ended by a signal: %w", p.Name(), placeEnv, errors.ErrUnsupported)
}
