// Package event is the one stream of what happens in a pool. Progress, Stats,
// the tour and every later view read it; it costs one atomic load when nobody
// listens.
package event

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Kind says what happened.
type Kind uint8

const (
	WorkerStarted Kind = 1 + iota // a process was started
	WorkerReady                   // it finished its Setup
	WorkerEnded                   // it is gone; Reason says why
	CallQueued                    // a call found no free worker
	CallStarted                   // a call was handed to a worker
	CallSettled                   // a call has its outcome; Wait and Run are set
)

var names = [...]string{"", "worker started", "worker ready", "worker ended", "call queued", "call started", "call settled"}

func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown event"
}

// Event is one thing that happened.
type Event struct {
	Kind   Kind
	At     time.Time
	Pool   string // the pool's name
	Worker int    // the worker's number in its pool, from 1; never used twice
	PID    int
	Task   string        // full name of the task, for the Call kinds
	Wait   time.Duration // in the queue
	Run    time.Duration // in the worker, way there and back included
	Err    error         // the outcome's error
	Reason string        // why a worker ended
}

// Stream hands events to its subscribers. The zero Stream is ready; it is safe
// for concurrent use.
type Stream struct {
	mu   sync.Mutex
	subs atomic.Pointer[[]*func(Event)]
}

// On reports whether anybody listens, for callers to whom making an Event costs
// something.
func (s *Stream) On() bool { return s.subs.Load() != nil }

// Emit calls every subscriber with e, in the goroutine of the caller.
func (s *Stream) Emit(e Event) {
	subs := s.subs.Load()
	if subs == nil {
		return
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	for _, f := range *subs {
		(*f)(e)
	}
}

// Subscribe adds f, which must be quick and safe for concurrent use, and returns
// the function that takes it away again.
func (s *Stream) Subscribe(f func(Event)) (cancel func()) {
	entry := &f
	s.change(func(subs []*func(Event)) []*func(Event) { return append(subs, entry) })
	return func() {
		s.change(func(subs []*func(Event)) []*func(Event) {
			return slices.DeleteFunc(subs, func(g *func(Event)) bool { return g == entry })
		})
	}
}

func (s *Stream) change(edit func([]*func(Event)) []*func(Event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subs []*func(Event)
	if old := s.subs.Load(); old != nil {
		subs = slices.Clone(*old)
	}
	if subs = edit(subs); len(subs) == 0 {
		s.subs.Store(nil)
		return
	}
	s.subs.Store(&subs)
}
