package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Pids is a folder in which groups can be made that bound the number of processes.
type Pids struct{ dir string }

// prefix begins the names of all groups made here; the pid of the maker follows.
const prefix = "tandem-"

// abandoned is the age at which an empty group of a program that is gone is removed: a
// young one may be about to be used, by a program of another pid namespace.
const abandoned = time.Minute

// FindPids finds the folder, and tries whether a group can be made in it. What other
// programs have left there, which were killed, it removes.
func FindPids() (Pids, error) {
	m, _ := Own()
	dir := m.One["pids"]
	if dir == "" {
		dir = m.Two
	}
	if dir == "" {
		return Pids{}, fmt.Errorf("no pids cgroup is mounted: %w", errors.ErrUnsupported)
	}
	p := Pids{dir}
	p.sweep()
	made, err := p.mkdir(unix.Getpid())
	if err != nil {
		return Pids{}, err
	}
	defer os.Remove(made)
	if _, err := os.Stat(filepath.Join(made, "pids.max")); err != nil {
		return Pids{}, fmt.Errorf("the pids controller is not delegated to %s: %w", dir, errors.ErrUnsupported)
	}
	return p, nil
}

// Path is the folder.
func (p Pids) Path() string { return p.dir }

var made atomic.Int64

func (p Pids) mkdir(pid int) (string, error) {
	dir := filepath.Join(p.dir, fmt.Sprintf("%s%d-%d", prefix, pid, made.Add(1)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("no cgroup can be made (%w): %w", err, errors.ErrUnsupported)
	}
	return dir, nil
}

// sweep removes the groups of programs that are gone. One that is not empty stays.
func (p Pids) sweep() {
	entries, _ := os.ReadDir(p.dir)
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix)
		number, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(number)
		if !ours || err != nil || unix.Kill(pid, 0) != unix.ESRCH {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			unix.Rmdir(filepath.Join(p.dir, e.Name()))
		}
	}
}

// Group bounds the number of processes in it.
type Group struct{ dir string }

// Make makes a group for process pid, which counts from now on with all its threads and
// all that it starts: most of them at once.
func (p Pids) Make(most, pid int) (*Group, error) {
	dir, err := p.mkdir(unix.Getpid())
	if err != nil {
		return nil, err
	}
	g := &Group{dir}
	for _, f := range []struct {
		name  string
		value int
	}{{"pids.max", most}, {"cgroup.procs", pid}} {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(strconv.Itoa(f.value)), 0o644); err != nil {
			unix.Rmdir(dir)
			return nil, err
		}
	}
	return g, nil
}

// closing is how long Close waits for killed processes to leave.
const closing = 5 * time.Second

// Close kills what is in the group and removes it. It waits a while for what dies
// slowly; then the group stays, and a later program's FindPids removes it.
func (g *Group) Close() {
	pause := 100 * time.Microsecond
	if unix.Rmdir(g.dir) != unix.EBUSY {
		return
	}
	// Nothing more is born there, or it could be born faster than it is killed.
	os.WriteFile(filepath.Join(g.dir, "pids.max"), []byte("0"), 0o644)
	for end := time.Now().Add(closing); unix.Rmdir(g.dir) == unix.EBUSY && time.Now().Before(end); time.Sleep(pause) {
		g.kill()
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// kill ends all that is in the group. A number is used again only after the process
// that had it was reaped, and then it has left the list.
func (g *Group) kill() {
	list, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	for _, number := range strings.Fields(string(list)) {
		if pid, err := strconv.Atoi(number); err == nil && pid > 1 {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
}
