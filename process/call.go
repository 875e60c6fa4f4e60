package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/event"
)

// moves is how often a call that was never started is passed on because its worker
// died.
const moves = 10

// ticket is a call that was admitted: with its claim, it has its turn.
type ticket struct {
	state  *poolState
	limits tandem.Limits
	begun  time.Duration // 0: nobody wants to know
	claim  claim
	turn   chan error // of a call that runs in this process, instead of the claim
	flown  func()     // told each time that the call has a lane; may be nil
}

// Admit gives j its place in the queue; see tandem.Admitter.
func (p *Pool) Admit(ctx context.Context, j *tandem.Job) (any, error) {
	t := new(ticket)
	spec := j.Spec()
	if err := p.consider(ctx, j, &spec, t); err != nil {
		return nil, err
	}
	if err := t.enter(j, false); err != nil {
		return nil, err
	}
	return t, nil
}

// consider checks whether there is anything to say against the call of j.
func (p *Pool) consider(ctx context.Context, j *tandem.Job, spec *tandem.Spec, t *ticket) error {
	s, err := p.ready()
	if err != nil {
		return err
	}
	t.state, t.limits = s, s.plan.Limits
	if spec.Limits != (tandem.Limits{}) {
		t.limits = spec.Limits.Or(t.limits)
		if err := s.accepts(spec, t.limits); err != nil {
			return err
		}
	}
	if s.watched() {
		t.begun = clock()
	}
	if err := s.killers.refuse(j); err != nil {
		s.settled(spec.Name, nil, 0, 0, err)
		return err
	}
	return context.Cause(ctx)
}

// enter admits the call and gives it its place.
func (t *ticket) enter(j *tandem.Job, alone bool) (err error) {
	if h := t.state.inline; h != nil {
		t.turn, err = h.enter()
	} else {
		t.claim, err = t.state.assign.enterAndClaim(want{alone: alone})
	}
	if err != nil && errors.Is(err, tandem.ErrQueueFull) {
		t.state.settled(j.Spec().Name, nil, 0, 0, err)
	}
	return err
}

// Run runs j in a worker; see tandem.Runner. The caller's own goroutine encodes the
// call, finds the worker, sends the call and reads the reply.
func (p *Pool) Run(ctx context.Context, j *tandem.Job) error { return p.attempt(ctx, j, 0, nil) }

// attempt is Run for a task that has been tried so often. flown is that of its ticket.
func (p *Pool) attempt(ctx context.Context, j *tandem.Job, tried int, flown func()) error {
	m := messages.Get().(*message)
	defer m.free()
	own := ticket{flown: flown}
	spec := j.Spec() // large: it is copied once
	t, entered := j.Ticket().(*ticket)
	if !entered {
		t = &own
		if err := p.consider(ctx, j, &spec, t); err != nil {
			return err
		}
	}
	if h := t.state.inline; h != nil {
		if !entered {
			if err := t.enter(j, false); err != nil {
				return err
			}
		}
		return h.run(ctx, j, t)
	}
	err := m.encode(ctx, j, &spec, &t.limits, t.state.plan)
	if err == nil && !entered {
		if err := t.enter(j, m.alone()); err != nil {
			return err
		}
		entered = true
	}
	if err != nil {
		if entered {
			t.giveUp()
		}
		t.state.settled(spec.Name, nil, 0, 0, err)
		return err
	}
	return t.run(ctx, j, &spec, m, tried)
}

// giveUp ends a call that is not to run, without waiting for its turn.
func (t *ticket) giveUp() {
	s := t.state
	f, err := s.assign.await(unwilling(), t.claim)
	if err != nil {
		s.assign.release()
		return
	}
	f.abandon()
	s.landed(f, 0, true)
}

// unwilling is a context for who does not wait: it has ended.
func unwilling() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// run finds the call a worker, and another one if that dies or has no time for it.
func (t *ticket) run(ctx context.Context, j *tandem.Job, spec *tandem.Spec, m *message, tried int) error {
	s := t.state
	var wait time.Duration
	for moved := 0; ; {
		f, err := t.flight(ctx, spec.Name, m, &wait)
		if err != nil {
			s.assign.release()
			s.settled(spec.Name, nil, wait, 0, err)
			return err
		}
		if t.flown != nil {
			t.flown()
		}
		w := f.lane.worker
		m.stamp()
		err, unstarted, cause := f.fly(ctx, j, spec.Name, m, &t.limits)
		again, ran := false, 1
		switch {
		case err == errMoved:
			err, again, ran = cause, cause == nil, 0
		case err != errDied:
			if s.killers.survived(j); err != nil && cause != nil {
				err = cause
			}
		default:
			s.count.crashed.Add(1)
			s.assign.died(w)
			switch trusted := w.death.trusted; {
			case cause != nil:
				err = cause
			case trusted && unstarted && moved < moves:
				moved++
				again = true // it had not started there; it may start elsewhere
			case trusted && spec.Idempotent && tried < s.killers.most()-1 && !overran(w):
				tried++
				again = true
				w.death.witness(j, tried)
			default:
				crash := w.death.of(j, tried+1)
				crash.Collateral = w.death.killed && trusted && s.plan.lanes > 1
				err = s.killers.died(j, crash, w.death.outside)
			}
		}
		s.landed(f, ran, !again)
		if again {
			continue
		}
		s.settled(spec.Name, w, wait, t.since()-wait, err)
		return err
	}
}

// since is how long the call has been going on, 0 if nobody wanted to know when it
// began.
func (t *ticket) since() time.Duration {
	if t.begun == 0 {
		return 0
	}
	return clock() - t.begun
}

// landed ends a flight in which so many tasks ran, and lets a worker go that has no
// more to do.
func (s *poolState) landed(f *flight, ran int, final bool) {
	if leave, _ := s.assign.over(f, 0, ran, final); leave != nil {
		leave.leave()
	}
}

// overran reports whether a worker with one call at a time died of that call's
// memory limit: running it again would only end the same way.
func overran(w *worker) bool {
	return w.plan.lanes == 1 && errors.Is(w.death.err, tandem.ErrMemory)
}

// flight finds a place for the message, by the call's claim the first time, and
// measures the waiting.
func (t *ticket) flight(ctx context.Context, task string, m *message, wait *time.Duration) (f *flight, err error) {
	s, c := t.state, t.claim
	t.claim = claim{}
	if c == (claim{}) {
		if c, err = s.assign.claim(want{alone: m.alone(), front: true}); err != nil {
			return nil, err
		}
	}
	if f, err = s.assign.await(ctx, c); err == nil && m.alone() && !f.head {
		// The claim was made before it was known what must be sent.
		f.abandon()
		s.landed(f, 0, false)
		if c, err = s.assign.claim(want{alone: true, front: true}); err == nil {
			f, err = s.assign.await(ctx, c)
		}
	}
	if c.waiter != nil || *wait > 0 {
		*wait = t.since()
	}
	if err == nil && s.events.On() {
		s.emit(event.Event{Kind: event.CallStarted, Task: task, Worker: f.lane.worker.number, PID: f.lane.worker.proc.PID, Wait: *wait})
	}
	return f, err
}

// accepts checks the limits of one call.
func (s *poolState) accepts(spec *tandem.Spec, limits tandem.Limits) error {
	if err := spec.Limits.Check(); err != nil {
		return err
	}
	if limits.CPU != s.plan.Limits.CPU {
		if err := s.plan.divides(limits); err != nil {
			return fmt.Errorf("%w (call of %s)", err, spec.Name)
		}
		if err := checkCPU(limits.CPU); err != nil {
			return err
		}
	}
	if limits.Memory == s.plan.Limits.Memory {
		return nil
	}
	if s.plan.lanes > 1 {
		return fmt.Errorf("tandem: %s: Limits.Memory of a single call cannot be kept in a worker with %d threads, which share it; set it on the pool: %w", spec.Name, s.plan.lanes, errors.ErrUnsupported)
	}
	return checkMemory(limits.Memory)
}
