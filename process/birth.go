package process

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tandem-go/tandem/internal/event"
)

// keep sees a worker through its birth and its death. It is on no call's path.
func (s *poolState) keep() {
	s.mu.Lock()
	s.number++
	number := s.number
	s.mu.Unlock()
	s.inherit()
	w, err := launch(s.plan, fmt.Sprintf("%s-%d", s.name, number), func(w *worker) []byte {
		w.number = number
		s.adopt(w) // it may be long before it reads who it is
		return nil
	})
	if err != nil {
		s.failed(err, false)
		return
	}
	s.emit(event.Event{Kind: event.WorkerStarted, Worker: number, PID: w.proc.PID})
	err = w.awaken()
	s.disown(w)
	if err != nil {
		s.emit(event.Event{Kind: event.WorkerEnded, Worker: number, PID: w.proc.PID, Reason: w.death.reason})
		s.failed(err, w.death.outside)
		return
	}
	if s.most > 0 {
		w.most = s.most - rand.IntN(s.most/4+1)
	}
	for _, l := range w.lanes {
		l.retire = func() {
			if s.assign.retire(w) {
				w.leave()
			}
		}
	}
	early := false
	w.forsaken = func() {
		if early = s.pool.keeper == nil && !w.death.outside && s.assign.lost(w); !early {
			s.assign.died(w)
		}
	}
	s.count.started.Add(1)
	s.emit(event.Event{Kind: event.WorkerReady, Worker: number, PID: w.proc.PID})
	began := s.sizeOf(w)
	wanted := s.assign.born(w)
	stop := s.recycleInTime(w, began)
	if !wanted {
		w.leave()
	} else if s.unwanted() {
		s.evict(w)
	} else if k := s.pool.keeper; k != nil {
		k.serves()
	}
	w.listen(0)
	stop()
	w.bury()
	s.ended(w.death.crash(s.name), w.death.exitCode == 0)
	s.count.ended.Add(1)
	s.emit(event.Event{Kind: event.WorkerEnded, Worker: number, PID: w.proc.PID, Reason: s.parting(w)})
	if err := w.farewell(); err != nil {
		s.mu.Lock()
		s.farewells = append(s.farewells, err)
		s.mu.Unlock()
	}
	if early {
		s.failed(&stillborn{
			fmt.Sprintf("tandem: %s (pid %d) died before it had a call: %s", w.process.Name(), w.proc.PID, w.death.reason),
			w.death.crash(w.plan.setupName),
		}, false)
	}
}

// failed deals with a birth that failed, or came to nothing. A pool with other workers
// alive tries again more and more slowly.
func (s *poolState) failed(cause error, outside bool) {
	s.ended(cause, false)
	if n := s.assign.lossesInRow(); n > 0 {
		select {
		case <-time.After(min(10*time.Millisecond<<min(n, 10), 5*time.Second)):
		case <-s.shut:
		}
	}
	s.assign.unborn(cause, outside)
}

// adopt makes Close know a worker that does not serve yet.
func (s *poolState) adopt(w *worker) {
	s.mu.Lock()
	s.nascent[w] = struct{}{}
	s.mu.Unlock()
	select {
	case <-s.shut:
		w.kill("its pool was closed")
	default:
		if s.unwanted() {
			w.kill(startsAgain)
		}
	}
}

func (s *poolState) disown(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nascent, w)
}
