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
// since 1.28, everything at once. The guard looks how much is left, and ends the worker
// that has most before it is too late: what a limit for each worker would do, without
// cutting the memory into parts that nobody may exceed. It needs no right to make
// groups.
type guard struct {
	once  sync.Once
	limit *cgroup.Ceiling // nil: there is none, and nothing to be done
	words string          // what it does here, for people; "" for nothing

	mu      sync.Mutex
	workers map[*worker]struct{}
	timer   *time.Timer
	victim  *worker // was killed, and may not be gone yet
}

// container is the guard of this program, unless it is itself a worker: then that of
// the first program counts its processes too.
var container = &guard{}

// Looks come as often as the least of these times is what the fastest storm takes for
// half of what is left.
const (
	guardSoonest = time.Millisecond
	guardLatest  = 250 * time.Millisecond
	guardFutile  = 50 * time.Millisecond // after nobody was found who has much: that took a millisecond
	stormSpeed   = 4 << 30               // bytes a second, of some processors together
)

// find looks for a limit, once.
func (g *guard) find() *cgroup.Ceiling {
	g.once.Do(func() {
		// With swap the limit of memory is not where anybody dies.
		if c, ok := cgroup.FindCeiling(); ok && child.Self.Depth == 0 && !sys.HasSwap() {
			g.limit = &c
			g.words = fmt.Sprintf("%s: it is looked at every %v to %v, and the worker with most is ended when less than %d MiB are left", shortOf(&c), guardSoonest, guardLatest, margin(c.Bytes)>>20)
		}
	})
	return g.limit
}

// margin is how much of the container's memory is kept free.
func margin(limit int64) int64 { return min(max(limit/10, 32<<20), 256<<20) }

// add watches a worker, from its birth on.
func (g *guard) add(w *worker) {
	if g.find() == nil {
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

// look kills the largest worker if there is too little left, and says when to look
// again. What the program has itself is nothing that a worker's death would help
// against: then nobody dies.
func (g *guard) look() {
	used, err := g.limit.Used()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil || len(g.workers) == 0 {
		return
	}
	left := g.limit.Bytes - margin(g.limit.Bytes) - used
	g.timer.Reset(min(max(time.Duration(float64(left)/2/stormSpeed*1e9), guardSoonest), guardLatest))
	if left > 0 || g.victim != nil && g.victim.proc.State() == nil {
		return
	}
	largest, size := g.largest()
	if g.victim = largest; largest == nil {
		g.timer.Reset(guardFutile)
	} else {
		go largest.sacrifice(fmt.Sprintf("%s was nearly used up, and this worker had most of it, %d MiB", shortOf(g.limit), size>>20))
	}
}

// largest is the worker that has most, with all that it has started, and how much: at
// least what is to be kept free. g.mu is held.
func (g *guard) largest() (*worker, int64) {
	var pids []int
	of := map[int]*worker{}
	for w := range g.workers {
		pids = append(pids, w.proc.PID)
		of[w.proc.PID] = w
	}
	most, pid := margin(g.limit.Bytes)-1, 0
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
func shortage() string {
	if c := container.find(); c != nil && c.Hit() {
		return shortOf(c) + " was used up"
	}
	return "the machine or the container had no memory left"
}

func shortOf(c *cgroup.Ceiling) string {
	return fmt.Sprintf("the container's memory (%d MiB, the limit of %s)", c.Bytes>>20, c.Dir)
}
