package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Killed reports whether the kernel's out-of-memory killer struck in the group, and
// whether it was the group's own limit that was hit: otherwise it was that of a group
// above, or the machine had no memory left. It is asked before Close.
func (g *Group) Killed() (any, own bool) {
	if !g.BoundsMemory() {
		return false, false
	}
	f := g.memory
	if f.two {
		text := f.events()
		kills, _ := field(text, "oom_kill")
		hits, _ := field(text, "oom")
		return kills > 0, kills > 0 && hits > 0
	}
	kills, _ := victims(filepath.Join(f.dir, "memory.oom_control"))
	return kills > 0, kills > 0 && full(f.dir, true)
}

// events is what has happened to a group of version 2 itself. A kernel before 5.2 adds
// what has happened below it.
func (f *folder) events() string {
	text, err := os.ReadFile(filepath.Join(f.dir, "memory.events.local"))
	if err != nil {
		text, _ = os.ReadFile(filepath.Join(f.dir, "memory.events"))
	}
	return string(text)
}

// near is how far below its limit a group of version 1 is when the kernel has found no
// room in it: what is left may be too little for what was wanted.
const near = 2 << 20

// full reports whether a group of version 1 is as large as it may be, or was once. Its
// counter of refusals would say so better, and stays 0 on some kernels (6.18).
func full(dir string, once bool) bool {
	name := map[bool]string{false: "memory.usage_in_bytes", true: "memory.max_usage_in_bytes"}[once]
	used, err := number(dir, name)
	limit, err2 := number(dir, "memory.limit_in_bytes")
	return err == nil && err2 == nil && used > limit-near
}

// overrun reports whether something in a group of version 1 was killed, or will be,
// for the group's own limit.
func (f *folder) overrun() bool {
	kills, _ := victims(filepath.Join(f.dir, "memory.oom_control"))
	return full(f.dir, kills > 0)
}

// OnOverrun has f called, by a goroutine of its own, each time when something in the
// group has to be killed for its limit of memory: version 1 chooses one process, and
// the rest goes on. Version 2 ends the whole group by itself, and f is never called.
func (g *Group) OnOverrun(f func()) error {
	if !g.BoundsMemory() || g.memory.two {
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("a memory cgroup's event: %w", err)
	}
	g.watch = os.NewFile(uintptr(fd), "oom event")
	control, err := os.Open(filepath.Join(g.memory.dir, "memory.oom_control"))
	if err != nil {
		return err
	}
	defer control.Close()
	if err := g.memory.write("cgroup.event_control", strconv.Itoa(fd)+" "+strconv.Itoa(int(control.Fd()))); err != nil {
		return err
	}
	go func(events *os.File, of *folder) {
		var count [8]byte
		for {
			// The event is that of every group below the one that has no room.
			if _, err := events.Read(count[:]); err != nil {
				return
			}
			if of.overrun() {
				f()
			}
		}
	}(g.watch, g.memory)
	return nil
}
