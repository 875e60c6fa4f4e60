package process

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// keeper sees to it that a pool with one worker never has two: the next is started
// when the last is gone, if its supervision says so.
type keeper struct {
	*supervision
	again func(cause error) // told before each restart; may be nil

	team     *team       // of a Supervisor; nil without one
	number   int         // in it
	expelled atomic.Bool // the process ends because the Supervisor wants it
	resumed  *ended      // the last end, if the Supervisor waits for the process that follows

	turn sync.Mutex // held from a worker's birth to its end
}

// errShut says that there is no start because the pool is closed.
var errShut = errors.New("closed")

// admit waits until the next worker may be started, or says why there is none.
func (k *keeper) admit(shut <-chan struct{}) error {
	if k.team != nil {
		return k.admitInTeam(shut)
	}
	pause, after, err := k.next()
	if err != nil {
		return err
	}
	if pause > 0 {
		late := time.NewTimer(pause)
		defer late.Stop()
		select {
		case <-late.C:
		case <-shut:
			return errShut
		}
	}
	if after != nil && k.again != nil {
		k.again(after)
	}
	return nil
}

// admitInTeam is admit when a Supervisor decides.
func (k *keeper) admitInTeam(shut <-chan struct{}) error {
	if !k.ended {
		return nil
	}
	cause := k.recent[len(k.recent)-1].cause
	k.resumed = &ended{number: k.number, cause: cause, well: k.well}
	if err := k.team.admit(k.resumed, shut); err != nil {
		return err
	}
	if k.ended = false; k.again != nil {
		k.again(cause)
	}
	return nil
}

// serves is called when a worker has come to serve.
func (k *keeper) serves() {
	if k.resumed != nil {
		close(k.resumed.serves)
		k.resumed = nil
	}
}

// expel ends the process of a service, that it may be started again, wherever it is in
// its life. It reports false if there is none, or none will follow.
func (s *poolState) expel() bool {
	if !s.assign.inhabited() {
		return false
	}
	s.pool.keeper.expelled.Store(true) // first: who comes to be a worker, or to serve, looks
	s.mu.Lock()
	for w := range s.nascent {
		w.kill(startsAgain)
	}
	s.mu.Unlock()
	for _, w := range s.assign.all() {
		s.evict(w)
	}
	return true
}

const startsAgain = "its Supervisor starts it again"

// evict lets a worker go, with its calls if these are not over after the grace time.
func (s *poolState) evict(w *worker) {
	if s.assign.retire(w) {
		w.leave()
	} else {
		w.endIn(s.plan.Limits.GraceTime(), startsAgain)
	}
}

// unwanted reports whether a worker that has come so far is to be expelled.
func (s *poolState) unwanted() bool { return s.pool.keeper != nil && s.pool.keeper.expelled.Load() }

// attend is the goroutine of a worker's keeper. In a service it is not begun before
// the last worker is gone.
func (s *poolState) attend() {
	defer s.keepers.Done()
	if k := s.pool.keeper; k != nil {
		k.turn.Lock()
		defer k.turn.Unlock()
		if err := k.admit(s.shut); err != nil {
			if err == errShut { // the calls that wait may not have been told yet
				err = s.assign.closedError()
			}
			s.assign.giveUp(err)
			return
		}
	}
	s.keep()
}

// ended tells a service's keeper what a worker has ended of.
func (s *poolState) ended(cause error, well bool) {
	if k := s.pool.keeper; k != nil {
		k.note(clock(), cause, well)
	}
}
