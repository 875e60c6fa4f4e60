package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/event"
)

// tries is how often an idempotent task runs before its workers' deaths are put
// down to it; moves is how often a call that was never started is passed on.
const (
	tries = 3
	moves = 10
)

// ticket is a call that was admitted: with its claim, it has its turn.
type ticket struct {
	state  *poolState
	limits tandem.Limits
	begun  time.Time
	claim  claim
}

// Admit gives j its place in the queue; see tandem.Admitter.
func (p *Pool) Admit(ctx context.Context, j *tandem.Job) (any, error) {
	t, err := p.admit(ctx, j)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

func (p *Pool) admit(ctx context.Context, j *tandem.Job) (t ticket, err error) {
	s, err := p.ready()
	if err != nil {
		return t, err
	}
	spec := j.Spec()
	t = ticket{state: s, limits: spec.Limits.Or(s.plan.Limits), begun: time.Now()}
	if err := s.accepts(spec, t.limits); err != nil {
		return t, err
	}
	if err := s.assign.admit(); err != nil {
		return t, err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else if t.claim, err = s.assign.claim(); err != nil {
		s.settled(spec.Name, nil, 0, 0, err)
	}
	if err != nil {
		s.assign.release()
	}
	return t, err
}

// Run runs j in a worker; see tandem.Runner. The caller's own goroutine finds
// the worker, sends the call and reads the reply.
func (p *Pool) Run(ctx context.Context, j *tandem.Job) error {
	t, ok := j.Ticket().(*ticket)
	if !ok {
		admitted, err := p.admit(ctx, j)
		if err != nil {
			return err
		}
		t = &admitted
	}
	s, limits, spec := t.state, t.limits, j.Spec()
	defer s.assign.release()
	var wait, run time.Duration
	var w *worker
	for tried, moved := 1, 0; ; {
		l, err := s.take(ctx, spec.Name, &wait, t)
		if err != nil {
			s.settled(spec.Name, nil, wait, 0, err)
			return err
		}
		w = l.worker
		sent := time.Now()
		err, cause := l.call(ctx, j, limits)
		run = time.Since(sent)
		if err != errDied {
			if leave := s.assign.give(l); leave != nil {
				leave.leave()
			}
			if err != nil && cause != nil {
				err = cause
			}
			s.settled(spec.Name, w, wait, run, err)
			return err
		}
		s.count.crashed.Add(1)
		s.assign.died(w)
		switch trusted := w.death.trusted; {
		case cause != nil:
			err = cause
		case trusted && !l.began() && moved < moves:
			moved++
			continue // it had not started there; it may start elsewhere
		case trusted && spec.Idempotent && tried < tries && !overran(w):
			tried++
			continue
		default:
			crash := w.death.crash(spec.Name)
			crash.Collateral = w.death.killed && trusted && s.plan.lanes > 1
			err = crash
		}
		s.settled(spec.Name, w, wait, run, err)
		return err
	}
}

// overran reports whether a worker with one call at a time died of that call's
// memory limit: running it again would only end the same way.
func overran(w *worker) bool {
	return w.plan.lanes == 1 && errors.Is(w.death.err, tandem.ErrMemory)
}

// take finds a lane, by the call's claim the first time, and measures the waiting.
func (s *poolState) take(ctx context.Context, task string, wait *time.Duration, t *ticket) (l *lane, err error) {
	if first := t.claim; first != (claim{}) {
		t.claim = claim{}
		l, err = s.assign.await(ctx, first)
	} else {
		l, err = s.assign.take(ctx)
	}
	*wait = time.Since(t.begun)
	if err == nil && s.events.On() {
		s.emit(event.Event{Kind: event.CallStarted, Task: task, Worker: l.worker.number, PID: l.worker.proc.PID, Wait: *wait})
	}
	return l, err
}

// accepts checks the limits of one call.
func (s *poolState) accepts(spec tandem.Spec, limits tandem.Limits) error {
	if err := spec.Limits.Check(); err != nil {
		return err
	}
	if limits.Memory == s.plan.Limits.Memory {
		return nil
	}
	if s.plan.lanes > 1 {
		return fmt.Errorf("tandem: %s: Limits.Memory of a single call cannot be kept in a worker with %d threads, which share it; set it on the pool: %w", spec.Name, s.plan.lanes, errors.ErrUnsupported)
	}
	return checkMemory(limits.Memory)
}
