package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

// The controllers that are used here.
const (
	Memory = "memory"
	PIDs   = "pids"
)

// Place is a folder in which groups can be made that a controller bounds. The zero
// Place is none.
type Place struct {
	dir  string
	home string // version 1: the group that this process is in
	two  bool   // version 2
}

// needed is what a group must have for a controller, by its version. A group of
// version 2 that is not killed as a whole would leave a worker without its children.
var needed = map[bool]map[string][]string{
	false: {Memory: {"memory.limit_in_bytes", "memory.oom_control"}, PIDs: {"pids.max"}},
	true:  {Memory: {"memory.max", "memory.oom.group"}, PIDs: {"pids.max"}},
}

// Find finds the folder, and tries whether a group can be made in it. What other
// programs have left there, which were killed, it removes. It takes most of a
// millisecond. Move lets this program be moved into a group of its own where version 2
// asks for that: it is for who wants a limit, and not for who only looks.
func Find(controller string, move bool) (Place, error) {
	m, _ := Own()
	return m.find(controller, move)
}

func (m Membership) find(controller string, move bool) (Place, error) {
	p := Place{dir: m.One[controller], home: m.One[controller]}
	if p.dir == "" {
		p = Place{dir: m.above(), two: true}
	}
	if p.dir == "" {
		return Place{}, fmt.Errorf("no %s cgroup is mounted: %w", controller, errors.ErrUnsupported)
	}
	sweep(p.dir)
	if p.two {
		if err := m.delegate(p.dir, controller, move); err != nil {
			return Place{}, err
		}
	}
	made, err := p.mkdir()
	if err != nil {
		return Place{}, err
	}
	defer unix.Rmdir(made)
	for _, name := range needed[p.two][controller] {
		if _, err := os.Stat(filepath.Join(made, name)); err != nil {
			return Place{}, fmt.Errorf("the %s controller does not reach below %s, where %s is missing: %w", controller, p.dir, name, errors.ErrUnsupported)
		}
	}
	if flat, err := number(made, "memory.use_hierarchy"); err == nil && flat == 0 {
		return Place{}, fmt.Errorf("the groups of %s do not count those below them: %w", p.dir, errors.ErrUnsupported)
	}
	return p, nil
}

// Path is the folder.
func (p Place) Path() string { return p.dir }

// Version is that of the groups, 1 or 2.
func (p Place) Version() int {
	if p.two {
		return 2
	}
	return 1
}

// prefix begins the names of all groups made here; the pid of the maker follows.
const prefix = "tandem-"

var made atomic.Int64

func (p Place) mkdir() (string, error) {
	dir := filepath.Join(p.dir, fmt.Sprintf("%s%d-%d", prefix, unix.Getpid(), made.Add(1)))
	if err := makeFolder(dir); err != nil {
		return "", fmt.Errorf("no cgroup can be made (%w): %w", err, errors.ErrUnsupported)
	}
	return dir, nil
}

// makeFolder is what a test replaces that has no tree of groups.
var makeFolder = func(dir string) error { return os.Mkdir(dir, 0o755) }

// leaf ends the name of the group into which a program has moved itself.
const leaf = "-program"

// above is the group of version 2 in which this program's groups are made: its own, or
// the one around the leaf in which it is, or the program that started it.
func (m Membership) above() string {
	if base := filepath.Base(m.Two); strings.HasPrefix(base, prefix) && strings.HasSuffix(base, leaf) {
		return filepath.Dir(m.Two)
	}
	return m.Two
}

// delegate hands a controller down to the groups below dir. Version 2 does not allow
// that in a group in which processes are: then this program goes into a leaf of it, with
// all that it has started. If others are there, too, all goes back to where it was.
func (m Membership) delegate(dir, controller string, move bool) error {
	control := filepath.Join(dir, "cgroup.subtree_control")
	if lists(control, controller) {
		return nil
	}
	if !lists(filepath.Join(dir, "cgroup.controllers"), controller) {
		return fmt.Errorf("the %s controller is not delegated to %s: %w", controller, dir, errors.ErrUnsupported)
	}
	enable := func() error { return write(control, "+"+controller) }
	err := enable()
	if move && errors.Is(err, unix.EBUSY) && m.ours(dir) {
		err = m.vacate(dir, enable)
	}
	if err != nil {
		return fmt.Errorf("the %s controller cannot be handed down in %s (%w): %w", controller, dir, reason(err), errors.ErrUnsupported)
	}
	return nil
}

// ours reports whether a group may be rearranged: it is a user's own, the top of a
// container, or systemd says that it keeps its hands off it. Of what else root could
// write to, systemd is the manager, and would undo it.
func (m Membership) ours(dir string) bool {
	if os.Geteuid() != 0 || m.Top {
		return true
	}
	for _, mark := range []string{"trusted.delegate", "user.delegate"} {
		var value [1]byte
		if n, err := unix.Getxattr(dir, mark, value[:]); n == 1 && err == nil && value[0] == '1' {
			return true
		}
	}
	return false
}

// vacate moves this program and its descendants out of dir for what then must succeed.
func (m Membership) vacate(dir string, then func() error) error {
	into := filepath.Join(dir, fmt.Sprintf("%s%d%s", prefix, unix.Getpid(), leaf))
	if err := makeFolder(into); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err := moveOwn(dir, into)
	if err == nil {
		err = then()
	}
	if err != nil {
		moveOwn(into, dir)
		unix.Rmdir(into)
	}
	return err
}

// moveOwn moves this process and those that descend from it from one group to another.
func moveOwn(from, to string) error {
	for _, pid := range members(from) {
		if !descends(pid) {
			continue
		}
		if err := write(filepath.Join(to, "cgroup.procs"), strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// descends reports whether a process is this one, or was started by one that does.
func descends(pid int) bool {
	for pid > 1 && pid != unix.Getpid() {
		fields, err := sys.ProcessStat(pid)
		if err != nil {
			return false
		}
		pid, _ = strconv.Atoi(fields[sys.StatParent])
	}
	return pid == unix.Getpid()
}

// members are the processes of a group.
func members(dir string) (pids []int) {
	list, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	for _, number := range strings.Fields(string(list)) {
		if pid, err := strconv.Atoi(number); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// lists reports whether a word is in a file.
func lists(file, word string) bool {
	text, _ := os.ReadFile(file)
	return slices.Contains(strings.Fields(string(text)), word)
}

// write gives one of a group's files a value. Such a file is there, or it cannot be.
func write(file, value string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// number reads a file with one number; "max" is the largest.
func number(dir, name string) (int64, error) {
	text, err := sys.ReadText(filepath.Join(dir, name))
	if err != nil {
		return 0, err
	}
	if s := strings.TrimSpace(text); s != "max" {
		return strconv.ParseInt(s, 10, 64)
	}
	return unlimited, nil
}

// reason is an error without the path, which its text has already.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
