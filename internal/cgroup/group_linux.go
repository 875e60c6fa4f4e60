package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Bounds are what the processes of a group may have together; zero is any number.
type Bounds struct {
	Memory    int64 // bytes of any kind, shared memory, files' pages and the kernel's among them
	Processes int   // threads count as processes
}

// Group is a group for one worker and all that it starts.
type Group struct {
	memory, pids *folder // both may be the same
	watch        *os.File
}

// folder is a group in the tree of one controller, in version 2 of all.
type folder struct {
	Place
	dir string
}

// Make makes a group that keeps b, in the places of the controllers that this takes.
// It takes some 100 µs for each.
func Make(b Bounds, memory, pids Place) (g *Group, err error) {
	g = &Group{}
	defer func() {
		if err != nil {
			g.Close()
		}
	}()
	if b.Memory > 0 {
		if g.memory, err = memory.folder(); err != nil {
			return nil, err
		}
		if err = g.memory.bound(b.Memory, true); err != nil {
			return nil, err
		}
	}
	if b.Processes > 0 {
		if g.pids = g.memory; g.pids == nil || g.pids.Place != pids {
			if g.pids, err = pids.folder(); err != nil {
				return nil, err
			}
		}
		err = g.pids.write("pids.max", strconv.Itoa(b.Processes))
	}
	return g, err
}

func (p Place) folder() (*folder, error) {
	dir, err := p.mkdir()
	if err != nil {
		return nil, err
	}
	return &folder{p, dir}, nil
}

func (f *folder) write(name, value string) error { return write(filepath.Join(f.dir, name), value) }

// bound sets the limit of memory for the first time. Swap is no way around it. Whole
// says that the group is to die as one.
func (f *folder) bound(bytes int64, whole bool) error {
	if !f.two {
		return f.setMemory(bytes)
	}
	if err := f.write("memory.swap.max", "0"); err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without swap
		return err
	}
	if whole {
		if err := f.write("memory.oom.group", "1"); err != nil {
			return err
		}
	}
	return f.setMemory(bytes)
}

// setMemory sets the limit. In version 1 that of memory and swap together must never
// be the lower one: it comes first on the way up, and second on the way down.
func (f *folder) setMemory(bytes int64) error {
	if f.two {
		return f.write("memory.max", strconv.FormatInt(bytes, 10))
	}
	both := []string{"memory.memsw.limit_in_bytes", "memory.limit_in_bytes"}
	if now, err := number(f.dir, both[1]); err == nil && now > bytes {
		both[0], both[1] = both[1], both[0]
	}
	for _, name := range both {
		// A kernel that does not count swap has no such file.
		if err := f.write(name, strconv.FormatInt(bytes, 10)); err != nil && !(name == "memory.memsw.limit_in_bytes" && errors.Is(err, os.ErrNotExist)) {
			return err
		}
	}
	return nil
}

// SetMemory changes the limit of memory, in some 20 µs. Version 1 refuses one that is
// below what the group uses, version 2 kills the group.
func (g *Group) SetMemory(bytes int64) error {
	if g.memory == nil {
		return errors.ErrUnsupported
	}
	return g.memory.setMemory(bytes)
}

// Used is how much memory the group has in use.
func (g *Group) Used() (int64, error) {
	switch {
	case g.memory == nil:
		return 0, errors.ErrUnsupported
	case g.memory.two:
		return number(g.memory.dir, "memory.current")
	}
	return number(g.memory.dir, "memory.usage_in_bytes")
}

// BoundsMemory reports whether the group has a limit of memory.
func (g *Group) BoundsMemory() bool { return g != nil && g.memory != nil }

// folders are those of the group, each once.
func (g *Group) folders() (list []*folder) {
	for _, f := range []*folder{g.memory, g.pids} {
		if f != nil && (len(list) == 0 || list[0] != f) {
			list = append(list, f)
		}
	}
	return list
}

// Enter has the next process that the calling thread starts with attr be born in the
// group. It is called on a thread that is locked and not the first of its process:
// of that one is the memory that all threads use. leave is called after the start,
// on the same thread, and must succeed.
//
// In version 1 the thread itself goes into the group and back, which costs it some
// 30 µs: a thread can move itself without a lock that all births and deaths of the
// machine take, which the move of another process needs, and waits for up to 10 ms.
func (g *Group) Enter(attr *syscall.SysProcAttr) (leave func() error, err error) {
	var undo []func() error
	leave = func() (err error) {
		for _, f := range undo {
			err = errors.Join(err, f())
		}
		return err
	}
	for _, f := range g.folders() {
		if f.two {
			fd, err := unix.Open(f.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				return nil, errors.Join(err, leave())
			}
			attr.UseCgroupFD, attr.CgroupFD = true, fd
			undo = append(undo, func() error { return unix.Close(fd) })
			continue
		}
		// It is opened before, since a sandbox may close the file system meanwhile.
		home, err := os.OpenFile(filepath.Join(f.home, "tasks"), os.O_WRONLY, 0)
		if err == nil {
			undo = append(undo, func() error {
				_, err := home.WriteString("0")
				return errors.Join(err, home.Close())
			})
			err = f.write("tasks", "0")
		}
		if err != nil {
			return nil, errors.Join(err, leave())
		}
	}
	return leave, nil
}

// Admit moves a process that runs into the group, with all its threads, where it could
// not be born in it.
func (g *Group) Admit(pid int) error {
	for _, f := range g.folders() {
		if err := f.write("cgroup.procs", strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}
