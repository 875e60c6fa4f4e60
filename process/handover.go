package process

import (
	"context"

	"github.com/tandem-go/tandem/internal/child"
)

// handOver gives the call to a process of s, if one is ready; gone says so. Nothing
// stands between the caller and the waiting process but one mutex: no goroutine and
// no timer but one for many starts.
func (r *run) handOver(ctx context.Context, s *standbyState, name string) (gone bool, err error) {
	if !s.any() {
		return false, nil
	}
	m := messages.Get().(*message)
	defer m.free()
	// All that is of this moment travels with the call: limits, names, variables.
	m.handover = &child.Handover{Name: name, ParentName: Current().Name(), Vars: child.Root.Snapshot()}
	spec := r.job.Spec()
	if err := m.encode(ctx, r.job, &spec, &r.limits, s.plan); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := s.take(r, name); err != nil || r.worker == nil {
		return false, err
	}
	r.leave(ctx, m)
	s.left(r)
	return true, nil
}

// hurry is for somebody who wants the result now: it looks for a moment whether it
// comes, and otherwise sees to it that a goroutine waits for it.
func (r *run) hurry() {
	r.mu.Lock()
	mine := !r.claimed
	r.claimed = true
	r.mu.Unlock()
	if !mine {
		return
	}
	f := r.flight
	if f.lane.ring != nil && r.sent == nil {
		var ok bool
		if f.answer, ok = f.lane.ring.Glance(f.slot, f.answer[:0]); ok {
			r.conclude(f.settle(r.job, f.answer, nil))
			r.worker.calls.Done()
			return
		}
	}
	r.mu.Lock()
	r.attended = true
	r.mu.Unlock()
	go r.read()
}

// attend sees to it that somebody reads the outcome, and that the process is let go
// then.
func (r *run) attend() {
	r.mu.Lock()
	mine := !r.claimed
	r.claimed, r.attended = true, true
	r.part()
	if mine {
		go r.read()
	}
}

func (r *run) read() {
	r.conclude(r.await())
	r.worker.calls.Done()
}
