package process

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// run is one Start without its types. Of a process that was booted for it, one
// goroutine reads the outcome and sees the process off. Of a standby the second is
// its keeper's, and the first whose need is first: whoever asks for the result, and
// a moment after the start a goroutine of its own.
type run struct {
	config Config
	limits tandem.Limits
	handle interface {
		answer(err error)
		settle(parting error)
	}
	job    *tandem.Job
	name   string // of its task
	worker *worker
	flight *flight
	sent   error

	orderly bool // the process was not killed, and did not die, by the time of the answer

	mu       sync.Mutex // held by start until the call has left
	claimed  bool       // somebody reads the outcome
	attended bool       // whoever reads it lets the process go then
	over     bool       // it was read
	parted   bool       // the process was let go
}

// start starts the process and sends it its call. It is done by the goroutine
// that calls Start: another would only have to grow its stack first.
func (r *run) start(ctx context.Context, j *tandem.Job) (*Process, error) {
	if inlined() {
		return r.startInline(ctx, j)
	}
	if err := r.startWorker(ctx, j); err != nil {
		return nil, err
	}
	return r.worker.process, nil
}

func (r *run) startWorker(ctx context.Context, j *tandem.Job) error {
	if err := errors.Join(checkPlace(), checkStart()); err != nil {
		return err
	}
	r.job, r.name = j, j.Spec().Name
	var standby *standbyState
	if s := r.config.Standby; s != nil {
		var err error
		if standby, err = s.lend(&r.config); err != nil {
			return err
		}
	}
	r.limits = j.Spec().Limits.Or(r.config.Limits)
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
	if standby != nil {
		if gone, err := r.handOver(ctx, standby, name); gone || err != nil {
			return err
		}
	}
	p := &plan{Config: r.config, single: true, maxProcs: childProcs(1, 1, r.config.CPUs), vars: child.Root.Snapshot()}
	if standby != nil {
		p.sink = standby.plan.sink
	} else {
		p.sink = newSink(&p.Config)
	}
	return r.boot(ctx, p, name)
}

// boot starts a process for the call, which is encoded while the process boots and,
// unless it is large or has descriptors, sent with the introduction. An argument that
// cannot be encoded is rare, and then the process ends before it has begun.
func (r *run) boot(ctx context.Context, p *plan, name string) error {
	m := messages.Get().(*message)
	defer m.free()
	var refused error
	spec := r.job.Spec()
	gone := false
	w, err := launch(p, name, func(w *worker) []byte {
		w.speak.Lock() // until the call has left: a cancellation comes behind it
		r.worker = w
		if refused = m.encode(ctx, r.job, &spec, &r.limits, p); refused != nil {
			return nil
		}
		r.depart(ctx, m)
		if gone = m.inline(); !gone {
			return nil
		}
		return wire.Finish(wire.Call, r.flight.seq, m.frame)
	})
	if err != nil {
		return fmt.Errorf("tandem: process %s: %w", name, err)
	}
	defer w.speak.Unlock()
	if refused != nil {
		w.abandon()
		return refused
	}
	r.claimed, r.attended = true, true
	if !gone {
		r.sent = r.flight.publish(m, false) // there is no ring
	}
	go r.seeOff()
	return nil
}

// leave sends the call to a standby. What goes wrong is the handle's to tell.
func (r *run) leave(ctx context.Context, m *message) {
	carried := r.depart(ctx, m)
	r.sent = r.flight.publish(m, carried)
}

// depart makes the call ready to be sent, and reports whether the ring will carry it.
func (r *run) depart(ctx context.Context, m *message) (carried bool) {
	l := r.worker.lanes[0]
	r.worker.output.only.Store(&r.name)
	r.flight = l.board(clock())
	r.flight.begin(ctx, r.name, &r.limits, 1, true)
	if carried = m.mount(r.flight); !carried { // it may have to wait for room in the socket
		r.flight.Sleep()
	}
	m.stamp()
	return carried
}

// seeOff waits for the outcome and for the end of a process that was booted.
func (r *run) seeOff() {
	w, err := r.worker, r.await()
	if err != errDied {
		r.conclude(err)
	}
	w.listen(0) // its last words
	w.reached()
	w.bury()
	if err == errDied {
		r.conclude(err)
	}
	r.settle()
}

func (r *run) await() error {
	err := r.flight.await(r.job, &r.limits)
	if err == ring.ErrUnstarted { // it is this process's task, and goes to no other
		err = errDied
	}
	return unsent(r.sent, err)
}

// conclude makes err, the outcome, that of the handle. After errDied it waits for
// what the keeper finds out.
func (r *run) conclude(err error) {
	w, cause := r.worker, r.flight.end()
	died := err == errDied
	if died {
		<-w.gone
	}
	switch {
	case cause != nil && err != nil:
		err = cause
	case died && w.phase < child.PhaseServing:
		err = w.stillbirth()
	case died:
		err = w.death.of(r.job, 1)
	default:
		r.orderly = true
	}
	r.handle.answer(err)
	r.mu.Lock()
	r.over, r.parted = true, r.parted || died
	r.part()
}

// part lets the process go, once, if that is in order. It leaves by itself; this is
// for one that does not. r.mu is held, and given back.
func (r *run) part() {
	now := r.over && r.attended && !r.parted
	r.parted = r.parted || now
	r.mu.Unlock()
	if now {
		r.worker.leave()
	}
}

// settle settles the handle when its process is gone.
func (r *run) settle() {
	if r.orderly {
		r.handle.settle(r.worker.farewell())
	} else {
		r.handle.settle(nil)
	}
}
