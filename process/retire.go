package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/sys"
)

// lookForGrowth is how often the memory of a worker is looked at, at 10 µs each, for
// Pool.MaxGrowth.
const lookForGrowth = 100 * time.Millisecond

// checkRecycling reports what makes no sense in the fields about replacing workers.
func (p *Pool) checkRecycling() error {
	switch {
	case p.MaxAge < 0:
		return fmt.Errorf("tandem: Pool.MaxAge is negative (%v); zero means no limit", p.MaxAge)
	case p.MaxGrowth < 0:
		return fmt.Errorf("tandem: Pool.MaxGrowth is negative (%d); zero means no limit", p.MaxGrowth)
	case p.MaxGrowth == 0:
		return nil
	}
	if _, err := sys.Resident(os.Getpid()); err != nil {
		return fmt.Errorf("tandem: Pool.MaxGrowth cannot be kept on this system, which does not tell a process's memory to another: %w", errors.ErrUnsupported)
	}
	return nil
}

// sizeOf is the memory of a worker for Pool.MaxGrowth, unknown if nobody asks or it could
// not be read, as when this program has no descriptor left.
func (s *poolState) sizeOf(w *worker) int64 {
	if s.pool.MaxGrowth > 0 {
		if size, err := sys.Resident(w.proc.PID); err == nil {
			return size
		}
	}
	return unknown
}

const unknown = -1

// recycleInTime begins to look at the age and the memory of a worker that has been born,
// until stop, which does not wait. began is what sizeOf said before it had a call.
func (s *poolState) recycleInTime(w *worker, began int64) (stop func()) {
	over := make(chan struct{})
	var age *time.Timer
	if most := s.pool.MaxAge; most > 0 {
		age = time.AfterFunc(most-rand.N(most/4+1), func() {
			s.recycle(w, fmt.Sprintf("it is older than Pool.MaxAge, %v", most))
		})
	}
	if s.pool.MaxGrowth > 0 {
		go s.watchGrowth(w, began, over)
	}
	return func() {
		close(over)
		if age != nil {
			age.Stop()
		}
	}
}

// watchGrowth looks at the memory of a worker that has had calls since the last look.
func (s *poolState) watchGrowth(w *worker, began int64, over <-chan struct{}) {
	look := time.NewTicker(lookForGrowth)
	defer look.Stop()
	for seen := 0; ; {
		select {
		case <-look.C:
		case <-over:
			return
		}
		tasks, busy := s.assign.work(w)
		if tasks == seen && !busy {
			continue
		}
		now := s.sizeOf(w)
		if now == unknown {
			continue
		}
		seen = tasks
		if began == unknown {
			began = now
		}
		if now-began > s.pool.MaxGrowth {
			s.recycle(w, fmt.Sprintf("its memory has grown by %d KiB, and Pool.MaxGrowth is %d KiB", (now-began)>>10, s.pool.MaxGrowth>>10))
			return
		}
	}
}

// work is how many calls a worker has had, and whether it has one.
func (a *assignment) work(w *worker) (tasks int, busy bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return w.tasks, w.busy > 0
}

// recycle replaces a worker: it gets no further call, and leaves when those it has are
// over.
func (s *poolState) recycle(w *worker, why string) {
	if s.assign.recycle(w, why) {
		w.leave()
	}
}

// recycle is retire with the reason that the events tell.
func (a *assignment) recycle(w *worker, why string) (leave bool) {
	a.mu.Lock()
	if _, here := a.workers[w]; here && !w.retiring {
		w.recycled = why
	}
	a.mu.Unlock()
	return a.retire(w)
}

// parting says why a worker that is gone has ended, and counts those that were replaced
// by plan.
func (s *poolState) parting(w *worker) string {
	s.assign.mu.Lock()
	why := w.recycled
	if why == "" && w.spent() {
		why = fmt.Sprintf("it has had %d calls, by Pool.MaxTasks", w.tasks)
	}
	s.assign.mu.Unlock()
	if why != "" {
		s.count.recycled.Add(1)
	}
	switch left := w.death.exitCode == 0 && w.phase == child.PhaseLeaving; {
	case left && why != "":
		return "recycled: " + why
	case left:
		return "let go"
	}
	return w.death.reason
}
