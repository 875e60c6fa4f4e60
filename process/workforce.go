package process

import (
	"fmt"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
)

// This file is the half of the assignment that sees to it that there are workers.

// stillbirths in a row are too many, unless Pool.Intensity says otherwise: the pool is
// broken. In a row and not in some time: one that hangs on its way to Init takes half a
// minute to fail, and a pool that serves in between is of use.
const stillbirths = 3

// settledAfter is the age at which a worker has shown that it can live, even if it had
// no call.
const settledAfter = 10 * time.Second

// withdraw takes a worker's lanes away, so that it gets no further call. Calls that
// it has not started look for another place.
func (a *assignment) withdraw(w *worker) {
	if w.retiring {
		return
	}
	w.retiring = true
	its := func(l *lane) bool { return l.worker == w }
	a.idle = slices.DeleteFunc(a.idle, its)
	a.serving = slices.DeleteFunc(a.serving, its)
	for _, l := range w.lanes {
		l.clear()
	}
}

// retire takes a worker out of service and reports whether it has nothing to do
// and can be let go at once.
func (a *assignment) retire(w *worker) (leave bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, here := a.workers[w]
	leave = here && !w.retiring && w.busy == 0
	if here {
		a.withdraw(w)
	}
	a.breed()
	return leave
}

// breed begins as many births as are missing. The lock is held, so that Close
// never meets a birth that was decided and has not begun.
func (a *assignment) breed() {
	if a.phase == closed || a.broken != nil {
		return
	}
	want := (a.queue.Len()+a.lanes-1)/a.lanes - a.births
	if a.eager && a.phase == open {
		want = a.target
	}
	for range min(want, a.target-a.births-a.present()) {
		a.births++
		a.birth()
	}
}

// present is how many workers take calls.
func (a *assignment) present() int { return len(a.serving) / a.lanes }

// inhabited reports whether there is a worker, or one on its way, and more may follow.
func (a *assignment) inhabited() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refusalLocked() == nil && a.births+len(a.workers) > 0
}

// coming is how many calls the workers will take that are on their way, or would
// be if one more call waited: these do not count as waiting. The lock is held.
func (a *assignment) coming() int {
	n := a.births
	if n < a.target-a.present() {
		n++
	}
	return n * a.lanes
}

// born adds a worker that serves. It reports false if the pool has no use for it
// any more.
func (a *assignment) born(w *worker) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.births--
	w.since = clock()
	if a.phase == closed || a.present() >= a.target { // closed, or resized meanwhile
		return false
	}
	a.workers[w] = struct{}{}
	a.serving = append(a.serving, w.lanes...)
	for _, l := range w.lanes {
		a.offer(l)
	}
	if len(a.workers) >= a.target {
		a.filled()
	}
	return true
}

func (a *assignment) filled() {
	select {
	case <-a.full:
	default:
		close(a.full)
	}
}

// unborn notes that a birth failed. After too many the pool is broken, and the first
// cause is what everybody is told.
func (a *assignment) unborn(cause error, outside bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.births--
	first, broken := a.losses.note(clock(), cause, outside)
	if broken && !a.supervised && a.broken == nil && a.phase != closed && len(a.workers) == 0 {
		a.broken = a.brokenBy(first)
		a.dismiss(a.broken)
		a.filled()
	}
	a.breed()
}

// lossesInRow is how many births have come to nothing since a good one.
func (a *assignment) lossesInRow() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.losses.row
}

// giveUp notes that a birth is not to be, nor any other, and why.
func (a *assignment) giveUp(why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.births--
	if a.broken == nil && a.phase != closed {
		a.broken = why
		a.dismiss(why)
	}
	a.filled()
}

// died takes out a worker that is gone. Whoever notices first calls it, and it
// may be called again: a call that moves on must not meet the same worker.
func (a *assignment) died(w *worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.withdraw(w)
	w.dead = true
	delete(a.workers, w)
	a.breed()
}

// lost is died for a worker that ended soon and before any call: then its place is kept
// for a birth to come, which unborn ends, and it counts as a birth that failed. Of a
// worker with another end it does nothing, and reports false.
func (a *assignment) lost(w *worker) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, here := a.workers[w]
	switch {
	case !here || w.retiring || a.phase == closed:
		return false
	case w.tasks > 0 || clock()-w.since >= settledAfter:
		a.losses.good()
		return false
	}
	a.withdraw(w)
	w.dead = true
	delete(a.workers, w)
	a.births++
	return true
}

// brokenBy is the error of all calls of a pool that has no workers and gets none.
func (a *assignment) brokenBy(first error) error {
	return fmt.Errorf("tandem: %s: %w, its workers cannot start or die at once: %w", a.name, tandem.ErrPoolBroken, first)
}

// dismiss fails everybody who waits.
func (a *assignment) dismiss(err error) {
	for e := a.queue.Front(); e != nil; e = a.queue.Front() {
		w := a.queue.Remove(e).(*waiter)
		w.err = err
		w.got <- nil
	}
}

// drain stops admission; quiet is closed when the last accepted call is over.
func (a *assignment) drain() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = max(a.phase, draining)
	a.filled() // who waits in Start waits for nothing more
	if a.accepted == 0 {
		a.hush()
	}
}

// pending is how many calls were accepted and are not over.
func (a *assignment) pending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.accepted
}

// close fails what waits, stops what runs, and returns the workers that idle.
func (a *assignment) close() (idle []*worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = closed
	a.dismiss(a.closedError())
	a.filled()
	if a.accepted == 0 {
		a.hush()
	}
	for w := range a.workers {
		if w.busy == 0 && !w.retiring {
			idle = append(idle, w)
		}
		a.withdraw(w)
		for _, l := range w.lanes {
			for _, f := range l.row {
				f.stopNow(a.closedError())
			}
		}
	}
	return idle
}

// resize changes the number of workers and returns those that can be let go at
// once; others leave after their calls.
func (a *assignment) resize(n int) (leave []*worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.target = n
	var live []*worker
	for w := range a.workers {
		if !w.retiring {
			live = append(live, w)
		}
	}
	slices.SortFunc(live, func(v, w *worker) int { return v.busy - w.busy }) // the idle go first
	for _, w := range live[:max(0, len(live)-n)] {
		if w.busy == 0 {
			leave = append(leave, w)
		}
		a.withdraw(w)
	}
	if len(live) >= n {
		a.filled()
	}
	if a.present() < n { // what waits behind others may have another place to go to now
		for _, l := range a.serving {
			l.clear()
		}
	}
	a.breed()
	return leave
}

// keep makes the pool hold all its workers without demand.
func (a *assignment) keep() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.eager = true
	a.breed()
}
