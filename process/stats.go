package process

import (
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/event"
)

// Stats is a pool at one moment.
type Stats struct {
	Workers int // that serve or are leaving
	Idle    int // places that are free
	Running int // calls given to workers, those too that wait there behind a short one; a chunk of a Map is one
	Queued  int // calls that wait for a worker

	Done    uint64 // calls that settled with a value
	Failed  uint64 // calls that settled with an error
	Crashed uint64 // calls whose worker died; some were run again
	Started uint64 // workers that came to serve
	Ended   uint64 // of which are gone

	Recycled uint64 // of which were replaced by MaxTasks, MaxAge or MaxGrowth
	Poisoned uint64 // calls given up with tandem.ErrPoison

	Limits string // how each limit of the pool is kept on this machine, for people

	Sandbox string // what of Config.Sandbox is in force in the workers, for people; "" without any
}

// Progress is what Pool.Progress is told after each call.
type Progress struct {
	Task      string        // full name
	Worker    int           // its number in the pool, 0 if none took the call
	PID       int           // of the worker
	Wait, Run time.Duration // in the queue, in the worker
	Err       error         // the outcome's
	Stats     Stats         // the pool right after
}

// Lifecycle is what Pool.Lifecycle is told of a worker.
type Lifecycle struct {
	Stage  Stage
	Worker int // its number in the pool, never used twice
	PID    int
	Reason string // of WorkerEnded, for people: "recycled: " and the field that says so, "let go", or what CrashError.Reason says
}

// Stage is where a worker is in its life.
type Stage uint8

const (
	WorkerStarted Stage = 1 + iota // the process is there
	WorkerServes                   // it has finished its Setup
	WorkerEnded                    // it is gone
)

var stages = [...]Stage{event.WorkerStarted: WorkerStarted, event.WorkerReady: WorkerServes, event.WorkerEnded: WorkerEnded}

type counters struct {
	done, failed, crashed, started, ended, recycled atomic.Uint64
}

// Stats describes the pool now.
func (p *Pool) Stats() Stats { return p.use().stats() }

func (s *poolState) stats() Stats {
	st := Stats{
		Done: s.count.done.Load(), Failed: s.count.failed.Load(), Crashed: s.count.crashed.Load(),
		Started: s.count.started.Load(), Ended: s.count.ended.Load(),
		Recycled: s.count.recycled.Load(), Poisoned: s.killers.given.Load(),
		Limits: s.keeping(),
	}
	if s.inline != nil {
		s.inline.fill(&st)
		return st
	}
	a := s.assign
	a.mu.Lock()
	defer a.mu.Unlock()
	st.Workers, st.Idle, st.Queued = len(a.workers), len(a.idle), a.queue.Len()
	for w := range a.workers {
		st.Running += w.busy
		st.Sandbox = w.process.sandbox
	}
	return st
}

// keeping words how the limits of the pool and of its container are kept.
func (s *poolState) keeping() string {
	if s.inline != nil || container.find() == nil {
		return s.kept
	}
	return joined(s.kept, container.words)
}

// watched reports whether somebody wants to hear of each call.
func (s *poolState) watched() bool { return s.pool.Progress != nil || s.events.On() }

// settled counts a call's outcome and tells those who want to know.
func (s *poolState) settled(task string, w *worker, wait, run time.Duration, err error) {
	if err == nil {
		s.count.done.Add(1)
	} else {
		s.count.failed.Add(1)
	}
	if !s.watched() {
		return
	}
	number, pid := 0, 0
	if w != nil {
		number, pid = w.number, w.proc.PID
	}
	s.emit(event.Event{Kind: event.CallSettled, Task: task, Worker: number, PID: pid, Wait: wait, Run: run, Err: err})
	if s.pool.Progress != nil {
		s.pool.Progress(Progress{Task: task, Worker: number, PID: pid, Wait: wait, Run: run, Err: err, Stats: s.stats()})
	}
}

func (s *poolState) emit(e event.Event) {
	e.Pool = s.name
	s.events.Emit(e)
	if tell := s.pool.Lifecycle; tell != nil && int(e.Kind) < len(stages) {
		tell(Lifecycle{Stage: stages[e.Kind], Worker: e.Worker, PID: e.PID, Reason: e.Reason})
	}
}
