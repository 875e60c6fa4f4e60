package process

import (
	"syscall"

	"github.com/tandem-go/tandem/internal/cgroup"
)

// shelter is the group around all workers of this program, which is made for the first
// and removed after the last; nil where the memory has no limit, or no group can be
// made. Each call but one that gave nil is followed by one of leave.
func (g *guard) shelter() *cgroup.Common {
	if g.find() == nil || g.off {
		return nil
	}
	place, err := shelters()
	if err != nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.common == nil {
		used, err := g.limit.Used()
		if err != nil {
			return nil
		}
		g.room = g.roomBeside(used)
		c, err := cgroup.MakeCommon(g.room, place)
		if err != nil {
			return nil // there is still the guard
		}
		// Without the event the kernel's choice stands: the largest process.
		c.Outer.OnOverrun(g.overrun)
		g.kills.Follow(c.Counter())
		g.common = c
	}
	g.users++
	return g.common
}

// leave is called when a worker in the group is gone.
func (g *guard) leave() {
	g.mu.Lock()
	var last *cgroup.Common
	if g.users--; g.users == 0 {
		last, g.common = g.common, nil
	}
	g.mu.Unlock()
	if last != nil {
		last.Close()
	}
}

// overrun is called when the workers together have no room: of version 1 the kernel
// kills the largest process, which may be a child of a task that goes on.
func (g *guard) overrun() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.common != nil {
		g.relieve(1)
	}
}

// leastRoom is what the workers have in any case: with less none could start.
const leastRoom = 64 << 20

// roomBeside is what is left for the workers beside so much that others use.
func (g *guard) roomBeside(others int64) int64 {
	return max(g.limit.Bytes-margin(g.limit.Bytes)-others, leastRoom)
}

// resize gives the workers what the program does not need now, and never less than
// they have. g.mu is held.
func (g *guard) resize(used int64) {
	own, err := g.common.Used()
	if err != nil {
		return
	}
	room := max(g.roomBeside(used-own), own)
	if change := room - g.room; change > 1<<20 || change < -(1<<20) {
		if g.common.Outer.SetMemory(room) == nil {
			g.room = room
		}
	}
}

// tookShared reports whether the kernel has killed w in the group of all workers. It is
// asked before w leaves that, and not for one that was killed from here: it would be taken
// for the victim of which the kernel's counter tells, and who that was for nobody's.
func (g *guard) tookShared(w *worker) bool {
	w.mu.Lock()
	ours := w.killed != ""
	w.mu.Unlock()
	state := w.proc.State()
	if ours || state == nil {
		return false
	}
	ws, ok := state.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL && g.kills.Took()
}
