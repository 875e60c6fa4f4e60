package process

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/leak"
)

// spare is a process of a Standby.
type spare struct {
	worker *worker
	run    *run // nil while it waits; under standbyState.mu
}

// standbyState is what a Standby is made of once it is used. Its births and deaths
// are its keepers', one goroutine for each process. A process that was taken is
// nobody's business here but its keeper's.
type standbyState struct {
	owner   *Standby // to notice a copy
	bad     error    // the fields made no sense
	name    string
	plan    *plan
	target  int
	shut    chan struct{}  // closed by close
	keepers sync.WaitGroup // of processes that were not taken
	mark    *leak.Mark

	mu        sync.Mutex
	ready     []*spare // the first, which has waited longest, is taken first
	births    int      // keepers whose process is not ready yet, or that wait before the next
	nascent   map[*worker]struct{}
	number    int
	taken     []*run // since the last tend
	tending   bool   // the timer runs
	timer     *time.Timer
	full      chan struct{} // closed when all are ready, or never will be; nil: nobody waits
	closed    bool
	lost      int   // processes that were lost untaken, in a row
	stillborn int   // that did not start, in a row
	first     error // what was wrong with the first of them
	broken    error // why none can start
}

// tendAfter is how long after a start its Standby sees to what is left: it boots the
// next process, whose exec would take a processor from the tasks that were just
// started, and has somebody wait for outcomes that nobody has asked for. So it is
// also the longest that a cancellation, or a limit of time, can be late.
const tendAfter = 2 * time.Millisecond

// any says whether a process is ready. If none is, some will be.
func (st *standbyState) any() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.ready) == 0 {
		st.later()
	}
	return len(st.ready) > 0 || st.closed
}

// take gives r the process that waits longest; without one, r has no worker.
func (st *standbyState) take(r *run, name string) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return st.closedError()
	}
	if len(st.ready) == 0 {
		return nil
	}
	s := st.ready[0]
	st.ready = slices.Delete(st.ready, 0, 1)
	st.lost = 0
	s.run, r.worker = r, s.worker
	s.worker.process.name.Store(&name)
	s.worker.calls.Add(1)
	st.keepers.Done()
	return nil
}

// left is called when r's call is on its way.
func (st *standbyState) left(r *run) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.taken = append(st.taken, r)
	st.later()
}

// nudge wakes the process that will be taken next. st.mu is held.
func (st *standbyState) nudge() {
	if len(st.ready) > 0 {
		if l := st.ready[0].worker.lanes[0]; l.ring != nil {
			l.ring.Nudge()
		}
	}
}

// later has tend called in a moment. st.mu is held.
func (st *standbyState) later() {
	switch {
	case st.tending:
		return
	case st.timer == nil:
		st.timer = time.AfterFunc(tendAfter, st.tend)
	default:
		st.timer.Reset(tendAfter)
	}
	st.tending = true
}

func (st *standbyState) tend() {
	st.mu.Lock()
	taken := st.taken
	st.taken, st.tending = nil, false
	st.breed()
	st.mu.Unlock()
	for _, r := range taken {
		r.attend()
	}
}

// breed begins as many births as are missing. st.mu is held.
func (st *standbyState) breed() {
	for !st.closed && st.broken == nil && len(st.ready)+st.births < st.target {
		st.births++
		st.keepers.Add(1)
		st.number++
		go st.keep(fmt.Sprintf("%s-%d", st.name, st.number))
	}
}

// fill begins the births and returns what is closed when something has come of
// them, nil when all are ready.
func (st *standbyState) fill() (<-chan struct{}, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.closed:
		return nil, st.closedError()
	case st.broken != nil:
		return nil, st.broken
	case len(st.ready) >= st.target:
		return nil, nil
	}
	st.breed()
	if st.full == nil {
		st.full = make(chan struct{})
	}
	return st.full, nil
}

// tell wakes who waits in Start. st.mu is held.
func (st *standbyState) tell() {
	if st.full != nil {
		close(st.full)
		st.full = nil
	}
}

func (st *standbyState) close() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return
	}
	st.closed = true
	close(st.shut)
	for w := range st.nascent {
		w.kill("its standby was closed")
	}
	for _, s := range st.ready { // killed: it has done nothing that an end could finish
		s.worker.kill("its standby was closed")
	}
	st.ready = nil
	st.tell()
}
