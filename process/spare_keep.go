package process

import (
	"fmt"
	"slices"
	"time"
)

// keep is the keeper of one process of a Standby, from its birth to its end.
func (st *standbyState) keep(name string) {
	w, err := st.boot(name)
	if err != nil {
		st.mourn(err, true)
		return
	}
	s := &spare{worker: w}
	st.born(s)
	w.listen(0)
	r := st.gone(s)
	if r == nil {
		w.bury()
		st.mourn(nil, false)
		return
	}
	go r.attend() // start may hold it for as long as the process lives
	w.bury()      // which waits until the outcome was read
	r.settle()
}

// boot starts a process and waits until it serves.
func (st *standbyState) boot(name string) (*worker, error) {
	w, err := launch(st.plan, name, func(w *worker) []byte {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.nascent[w] = struct{}{}
		if st.closed {
			w.kill("its standby was closed")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tandem: process %s: %w", name, err)
	}
	err = w.awaken()
	st.mu.Lock()
	delete(st.nascent, w)
	st.mu.Unlock()
	return w, err
}

// born makes a process that serves ready.
func (st *standbyState) born(s *spare) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.births--
	st.stillborn = 0
	if st.closed {
		s.worker.kill("its standby was closed")
		return
	}
	st.ready = append(st.ready, s)
	if len(st.ready) >= st.target {
		st.tell()
	}
}

// gone takes out a process that has ended, or is about to, and returns what it was
// taken for. One that was not counts as a birth again, until another comes.
func (st *standbyState) gone(s *spare) *run {
	st.mu.Lock()
	defer st.mu.Unlock()
	if s.run == nil {
		st.births++
		st.ready = slices.DeleteFunc(st.ready, func(o *spare) bool { return o == s })
	}
	return s.run
}

// mourn ends a keeper whose process did not come, or went untaken. After the first
// such loss the next process comes more and more slowly.
func (st *standbyState) mourn(cause error, stillborn bool) {
	defer st.keepers.Done()
	st.mu.Lock()
	st.lost++
	n := st.lost
	if stillborn {
		if st.stillborn++; st.stillborn == 1 {
			st.first = cause
		}
		if st.stillborn >= stillbirths && len(st.ready) == 0 && st.broken == nil && !st.closed {
			st.broken = fmt.Errorf("tandem: %s is broken, its processes cannot start: %w", st.name, st.first)
			st.tell()
		}
	}
	st.mu.Unlock()
	if n > 1 {
		select {
		case <-time.After(min(10*time.Millisecond<<min(n, 10), 5*time.Second)):
		case <-st.shut:
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.births--
	st.breed()
}
