package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

// closing is how long a removal waits for killed processes to leave.
const closing = 5 * time.Second

// Close kills what is in the group and removes it, with the groups that were made
// below it. It waits a while for what dies slowly; then the group stays, and a later
// program's Find removes it.
func (g *Group) Close() {
	if g.watch != nil {
		g.watch.Close()
	}
	for _, f := range g.folders() {
		remove(f.dir)
	}
}

// remove kills what is in a group and those below it, and removes them.
func remove(dir string) {
	if unix.Rmdir(dir) != unix.EBUSY {
		return
	}
	pause := 100 * time.Microsecond
	for end := time.Now().Add(closing); time.Now().Before(end); time.Sleep(pause) {
		// Nothing more is born there, or it could be born faster than it is killed.
		if write(filepath.Join(dir, "cgroup.kill"), "1") != nil {
			write(filepath.Join(dir, "pids.max"), "0")
			killAll(dir)
		}
		for _, below := range groupsIn(dir) {
			remove(filepath.Join(dir, below))
		}
		if unix.Rmdir(dir) != unix.EBUSY {
			return
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// killAll ends all that is in the group. A number is used again only after the process
// that had it was reaped, and then it has left the list.
func killAll(dir string) {
	for _, pid := range members(dir) {
		if pid > 1 && pid != unix.Getpid() { // version 1 lists whoever has a thread there
			unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// groupsIn lists the groups below dir.
func groupsIn(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// maker is the pid of whoever made a group here; ok is false for a group that is none
// of ours.
func maker(name string) (pid int, ok bool) {
	rest, ours := strings.CutPrefix(name, prefix)
	digits, _, _ := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(digits)
	return pid, ours && err == nil && pid > 0
}

// abandoned is the age at which an empty group of a program that is gone is removed: a
// young one may be about to be used, by a program of another pid namespace.
const abandoned = time.Minute

// sweep removes the groups of programs that are gone. One that is not empty stays: it
// may be that of a program in another pid namespace.
func sweep(dir string) {
	for _, name := range groupsIn(dir) {
		if pid, ours := maker(name); !ours || unix.Kill(pid, 0) != unix.ESRCH {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > abandoned {
			for _, below := range groupsIn(path) {
				unix.Rmdir(filepath.Join(path, below))
			}
			unix.Rmdir(path)
		}
	}
}

// Inherit removes the groups that processes which are gone have made beside this one,
// and kills what is in them. It is for whoever was told of their end, and is in the
// group that they were in. A process number is used again, sooner or later: the groups of
// one that runs are not touched.
func Inherit(gone func(pid int) bool) {
	m, _ := Own()
	var dirs []string
	for _, controller := range []string{Memory, PIDs} {
		if dir := m.One[controller]; dir != "" {
			dirs = append(dirs, dir)
		}
	}
	if m.Two != "" {
		dirs = append(dirs, m.above())
	}
	for _, dir := range dirs {
		for _, name := range groupsIn(dir) {
			if pid, ours := maker(name); ours && gone(pid) && !sys.ProcessRuns(pid) && !strings.HasSuffix(name, leaf) {
				remove(filepath.Join(dir, name))
			}
		}
	}
}
