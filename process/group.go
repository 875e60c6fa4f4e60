package process

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
)

// processGroups is where groups that bound the number of processes can be made.
var processGroups = sync.OnceValues(func() (cgroup.Place, error) { return cgroup.Find(cgroup.PIDs, true) })

// findMemoryGroups is where groups that bound memory can be made.
var findMemoryGroups = sync.OnceValues(func() (cgroup.Place, error) {
	if sys.Debugs("nogroups") {
		return cgroup.Place{}, errors.ErrUnsupported
	}
	p, err := cgroup.Find(cgroup.Memory, true)
	if err == nil && p.Version() == 2 {
		oomKills.Follow("") // this program may have moved
	}
	return p, err
})

// findShelters is the same for who has asked for no limit, and is not moved for it.
var findShelters = sync.OnceValues(func() (cgroup.Place, error) {
	if sys.Debugs("nogroups") {
		return cgroup.Place{}, errors.ErrUnsupported
	}
	return cgroup.Find(cgroup.Memory, false)
})

// shelters is where a group around all workers can be made.
func shelters() (cgroup.Place, error) {
	if ungrouped.Load() {
		return cgroup.Place{}, errors.ErrUnsupported
	}
	return findShelters()
}

// ungrouped has limits of memory kept without groups, for tests of that.
var ungrouped atomic.Bool

func memoryGroups() (cgroup.Place, error) {
	if ungrouped.Load() {
		return cgroup.Place{}, errors.ErrUnsupported
	}
	return findMemoryGroups()
}

// memoryMeans words how a limit of memory is kept here, and how soon.
func memoryMeans() string {
	dir, err := memoryGroups()
	if err != nil {
		return fmt.Sprintf("RLIMIT_DATA of the worker, which counts neither shared memory nor what a task starts, and a look every %v", weighEvery)
	}
	return fmt.Sprintf("a memory cgroup of version %d for each worker below %s, which counts shared memory and all that a task starts; the kernel gives no page beyond it, and ends the worker at once", dir.Version(), dir.Path())
}

// usesC reports whether this binary has C code in it, whose threads take 8 MiB of stack
// each that a limit on data counts. The runtime itself makes one call into it first.
var usesC = runtime.NumCgoCall() > 0

// gather makes the group that keeps limits of w, and has the process of c be born in it.
// A worker without such a limit has none, and pays nothing, unless it is in a container
// whose memory has a limit: see shelter.
func (w *worker) gather(c *spawn.Command) (err error) {
	keep := cgroup.Bounds{Processes: w.plan.Processes}
	var memory, pids cgroup.Place
	if w.plan.Limits.Memory > 0 {
		if memory, err = memoryGroups(); err == nil {
			keep.Memory, w.kept = w.plan.Limits.Memory, w.plan.Limits.Memory
		}
	}
	if keep.Processes > 0 {
		if pids, err = processGroups(); err != nil {
			return fmt.Errorf("tandem: Config.Processes: %w", err)
		}
	}
	common := container.shelter()
	if w.sheltered = common != nil; common != nil {
		memory = common.Inner
		if memory.Version() == 2 {
			pids = memory // one process is in one group of version 2
		}
		c.Enter = common.Rest.Enter
	}
	if keep == (cgroup.Bounds{}) {
		return nil
	}
	if w.group, err = cgroup.Make(keep, memory, pids); err != nil {
		return fmt.Errorf("tandem: a cgroup for the worker: %w", err)
	}
	c.Enter = w.group.Enter
	if common != nil && !w.group.BoundsMemory() && memory.Version() == 1 {
		c.Enter = both(common.Rest.Enter, w.group.Enter)
	}
	return nil
}

// entering is the type of cgroup.Group.Enter.
type entering = func(*syscall.SysProcAttr) (leave func() error, err error)

// both enters two groups of different controllers.
func both(one, two entering) entering {
	return func(attr *syscall.SysProcAttr) (func() error, error) {
		leave, err := one(attr)
		if err != nil {
			return nil, err
		}
		other, err := two(attr)
		if err != nil {
			return nil, errors.Join(err, leave())
		}
		return func() error { return errors.Join(other(), leave()) }, nil
	}
}

// born starts the process of c, in w's group if it has one. Where a filter of system
// calls does not let clone3 pass, as in some containers, it is moved there before it is
// told anything.
func (w *worker) born(c spawn.Command) error {
	err := w.gather(&c)
	if err != nil {
		return err
	}
	w.proc, err = w.startConfined(c)
	if c.Enter == nil || !errors.Is(err, syscall.ENOSYS) {
		return err
	}
	c.Enter = nil
	if w.proc, err = w.startConfined(c); err == nil && w.group != nil {
		err = w.group.Admit(w.proc.PID)
	}
	return err
}

// disband finds out what the kernel has done in the group of a dead worker, and ends
// what is left in it.
func (w *worker) disband() {
	if w.group != nil {
		w.oomKilled, w.overran = w.group.Killed()
		w.group.Close()
	}
	if w.sheltered {
		w.oomShared = w.proc != nil && !w.oomKilled && container.tookShared(w)
		container.leave()
	}
}

// limitData reports whether the worker has a limit on data. Beside a group a binary
// without C code has it, too: what it counts is what the group counts, it comes first,
// and then the Go runtime tells which goroutine wanted how much.
func (w *worker) limitData() bool { return !w.group.BoundsMemory() || !usesC }

// heed has the group of w keep the limit of a call that begins. w.mu is held. A
// group that uses more already is not narrowed by version 1: then it is watched.
func (w *worker) heed(limit int64) {
	if w.group.BoundsMemory() && limit != w.kept && w.group.SetMemory(limit) == nil {
		w.kept = limit
	}
}

// held reports whether the kernel keeps the limit by itself.
func (w *worker) held(limit int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.group.BoundsMemory() && w.kept == limit
}

// memoryLimit is what the worker had to keep last, 0 for nothing. w.mu is held.
func (w *worker) memoryLimit() int64 { return cmp.Or(w.memory, w.plan.Limits.Memory) }

// size is what counts for the limit of a worker that is watched for it.
func (w *worker) size() (int64, error) {
	if w.group.BoundsMemory() {
		return w.group.Used()
	}
	size, err := sys.DataSize(w.proc.PID)
	if err == nil {
		w.seen.Store(size)
	}
	return size, err
}
