package process

import (
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/sys"
)

// guard keeps this program and its workers together below the memory of their
// container. There the kernel would kill what is largest, or, as Kubernetes asks for
// since 1.28, everything at once. Where groups can be made, all workers are in one that
// has what the program itself leaves. Elsewhere the guard looks how much is left, and
// ends the worker that has most before it is too late. Either way no worker has a part
// of the memory that it may not exceed while the others need nothing.
type guard struct {
	once  sync.Once
	limit *cgroup.Ceiling // nil: there is none, and nothing to be done
	words string          // what it does here, for people; "" for nothing
	off   bool            // for tests of what happens without it

	mu      sync.Mutex
	workers map[*worker]struct{}
	timer   *time.Timer
	victim  *worker // was killed, and may not be gone yet

	common *cgroup.Common // nil: there is none now
	users  int            // workers in it
	room   int64          // its limit
	kills  cgroup.OOMKills
}

// container is the guard of this program, unless it is itself a worker: then that of
// the first program counts its processes too.
var container = &guard{}

// A look comes when the fastest storm has taken half of what is left, or sooner.
const (
	guardSoonest = time.Millisecond
	guardLatest  = 250 * time.Millisecond
	guardFutile  = 50 * time.Millisecond // after nobody was found who has much: that took a millisecond
	stormSpeed   = 4 << 30               // bytes a second, of some processors together
)

// find looks for a limit, once.
func (g *guard) find() *cgroup.Ceiling {
	g.once.Do(func() {
		if child.Self.Depth > 0 {
			return
		}
		c, ok := cgroup.FindCeiling()
		if !ok || sys.HasSwap() { // with swap the limit of memory is not where anybody dies
			return
		}
		g.limit = &c
		how := fmt.Sprintf("it is looked at every %v to %v, and the worker with most is ended when less than %d MiB are left", guardSoonest, guardLatest, margin(c.Bytes)>>20)
		if _, err := shelters(); err == nil {
			how = fmt.Sprintf("all workers are in one memory cgroup, which has what this program leaves, but for %d MiB", margin(c.Bytes)>>20)
		}
		g.words = shortOf(&c) + ": " + how
	})
	return g.limit
}

// margin is how much of the container's memory is kept free.
func margin(limit int64) int64 { return min(max(limit/10, 32<<20), 256<<20) }

// add watches a worker, from its birth on.
func (g *guard) add(w *worker) {
	if g.find() == nil || g.off {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.workers == nil {
		g.workers = map[*worker]struct{}{}
	}
	if g.workers[w] = struct{}{}; len(g.workers) > 1 {
		return
	}
	if g.timer == nil {
		g.timer = time.AfterFunc(0, g.look)
	} else {
		g.timer.Reset(0)
	}
}

// remove is the end of it.
func (g *guard) remove(w *worker) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.workers, w)
	if len(g.workers) == 0 && g.timer != nil {
		g.timer.Stop()
	}
}

// look does what there is to do, and says when to look again.
func (g *guard) look() {
	used, err := g.limit.Used()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.workers) == 0 {
		return
	}
	if err != nil { // as when this program has no descriptor left
		g.timer.Reset(guardLatest)
		return
	}
	left := g.limit.Bytes - margin(g.limit.Bytes) - used
	g.timer.Reset(min(max(time.Duration(float64(left)/2/stormSpeed*1e9), guardSoonest), guardLatest))
	switch {
	case g.common != nil:
		g.timer.Reset(guardLatest) // the kernel keeps it
		g.resize(used)
	case left <= 0 && !g.relieve(margin(g.limit.Bytes)):
		// What the program has itself is nothing that a worker's death would help against.
		g.timer.Reset(guardFutile)
	}
}

// relieve kills the worker that has most, if it has so much. One death at a time: what
// it gives back comes a moment later. g.mu is held.
func (g *guard) relieve(least int64) (found bool) {
	if g.victim != nil && g.victim.proc.State() == nil {
		return true
	}
	var size int64
	if g.victim, size = g.largest(least); g.victim != nil {
		go g.victim.sacrifice(fmt.Sprintf("%s was nearly used up, and this worker had most of it, %d MiB", shortOf(g.limit), size>>20))
	}
	return g.victim != nil
}

// largest is the worker that has most, with all that it has started, and how much.
// g.mu is held.
func (g *guard) largest(least int64) (*worker, int64) {
	var pids []int
	of := map[int]*worker{}
	for w := range g.workers {
		pids = append(pids, w.proc.PID)
		of[w.proc.PID] = w
	}
	most, pid := least-1, 0
	for p, size := range sys.ResidentTrees(pids) {
		if size > most {
			most, pid = size, p
		}
	}
	return of[pid], most
}

// sacrifice kills a worker for the good of the others.
func (w *worker) sacrifice(why string) {
	w.mu.Lock()
	w.sacrificed = w.killed == ""
	w.mu.Unlock()
	w.kill(why)
}

// shortage words what there was too little of when the kernel has killed a worker.
// Shared says that it was in the group of all workers.
func shortage(shared bool) string {
	if c := container.find(); c != nil && (shared || c.Hit()) {
		return shortOf(c) + " was used up"
	}
	return "the machine or the container had no memory left"
}

func shortOf(c *cgroup.Ceiling) string {
	return fmt.Sprintf("the container's memory (%d MiB, the limit of %s)", c.Bytes>>20, c.Dir)
}
