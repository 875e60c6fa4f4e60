package coroutine

import (
	"sync/atomic"
	"time"
)

// A SlowTurn reports a coroutine that kept its turn too long.
type SlowTurn struct {
	Name  string        // of the coroutine
	For   time.Duration // how long the turn had lasted at least when it was reported
	Func  string        // where it was then: the innermost function outside of the standard library
	File  string
	Line  int    // 0 if not found: the turn ended meanwhile, or there are 100,000 other goroutines
	Stack string // all of the coroutine's stack
}

// A watchdog looks now and then whether the turn has changed. Nobody writes
// down when a turn begins, or where: a turn pays nothing for being watched but
// the count of turns. The price is paid for a slow one, when the program stops
// for a moment and the stacks of all goroutines are taken to find the line.
// When the loop is idle, the watchdog is too.
type watchdog struct {
	s      *sched
	slow   time.Duration
	loopID uint64      // goroutine of the loop
	parked atomic.Bool // waits for wake
	wake   chan struct{}
	stop   chan struct{}
	done   chan struct{}
}

// startWatchdog returns nil if turns are not to be watched; the methods that
// the loop calls accept that.
func startWatchdog(s *sched) *watchdog {
	slow := s.loop.Slow
	if slow < 0 {
		return nil
	}
	if slow == 0 {
		slow = 100 * time.Millisecond
	}
	w := &watchdog{
		s: s, slow: slow, loopID: goroutineID(),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

// end returns when the watchdog, and a report it makes, have ended.
func (w *watchdog) end() {
	if w != nil {
		close(w.stop)
		<-w.done
	}
}

// awake is called when the loop leaves its rest.
func (w *watchdog) awake() {
	if w != nil && w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}

func (w *watchdog) run() {
	defer close(w.done)
	tick := time.NewTimer(w.slow / 4)
	defer tick.Stop()
	var turn uint64     // the turn seen last,
	var since time.Time // since when,
	reported := false   // and whether it has been reported
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		t, now := w.s.current.Load(), w.s.loop.turns.Load()
		switch {
		case t == nil || now != turn:
			turn, since, reported = now, time.Now(), false
		case !reported && time.Since(since) >= w.slow:
			reported = true
			w.s.loop.report(w.look(t, time.Since(since)))
		}
		if !w.rest() {
			return
		}
		tick.Reset(w.slow / 4)
	}
}

// rest waits while the loop is idle. It is false when the watch is over. The
// order matters: parked is set before idle is read, and the loop clears idle
// before it reads parked, so one of them sees the other.
func (w *watchdog) rest() bool {
	w.parked.Store(true)
	if !w.s.idle.Load() {
		if !w.parked.CompareAndSwap(true, false) {
			<-w.wake
		}
		return true
	}
	select {
	case <-w.wake:
		return true
	case <-w.stop:
		return false
	}
}

// look finds out where the coroutine t is.
func (w *watchdog) look(t *task, lasted time.Duration) SlowTurn {
	r := SlowTurn{Name: t.Name(), For: lasted}
	r.Stack = runningStack(allStacks(), w.loopID)
	r.Func, r.File, r.Line = place(r.Stack)
	return r
}
