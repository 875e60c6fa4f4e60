package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fakeTree is a folder that looks like a group of version 2 with the files given. The
// groups that are made in it have what a kernel would put there.
func fakeTree(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	put(t, dir, files)
	real := makeFolder
	t.Cleanup(func() { makeFolder = real })
	makeFolder = func(below string) error {
		err := real(below)
		if err == nil && strings.HasPrefix(below, dir) {
			put(t, below, map[string]string{
				"cgroup.procs": "", "cgroup.subtree_control": "", "memory.max": "", "memory.swap.max": "",
				"memory.oom.group": "", "memory.current": "0\n", "memory.events.local": "oom 0\noom_kill 0\n", "pids.max": "",
			})
		}
		return err
	}
	return dir
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func is(t *testing.T, dir, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if strings.TrimSpace(string(got)) != want || err != nil {
		t.Errorf("%s is %q, %v; want %q", name, got, err, want)
	}
}

// TestVersion2: a group of version 2 has all limits in one folder, is killed as a whole,
// and tells its own limit from that of others.
func TestVersion2(t *testing.T) {
	dir := fakeTree(t, map[string]string{"cgroup.controllers": "cpu memory pids\n", "cgroup.subtree_control": "memory pids\n"})
	m := Membership{Two: dir}
	memory, err := m.find(Memory, true)
	pids, err2 := m.find(PIDs, true)
	if err != nil || err2 != nil || memory.Version() != 2 || memory.Path() != dir {
		t.Fatal(memory, err, pids, err2)
	}
	g, err := Make(Bounds{Memory: 256 << 20, Processes: 70}, memory, pids)
	if err != nil || g.memory != g.pids || !g.BoundsMemory() {
		t.Fatalf("%+v, %v; want one folder for both", g, err)
	}
	made := g.memory.dir
	for name, want := range map[string]string{"memory.max": "268435456", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "70"} {
		is(t, made, name, want)
	}
	if err := g.SetMemory(512 << 20); err != nil {
		t.Error(err)
	}
	is(t, made, "memory.max", "536870912")
	var attr syscall.SysProcAttr
	leave, err := g.Enter(&attr)
	if err != nil || !attr.UseCgroupFD {
		t.Fatalf("%+v, %v", attr, err)
	}
	if err := leave(); err != nil {
		t.Error(err)
	}
	for text, want := range map[string][2]bool{
		"oom 0\noom_kill 0\n": {false, false}, "oom 0\noom_kill 1\n": {true, false},
		"oom 1\noom_kill 2\noom_group_kill 1\n": {true, true}, "oom 3\noom_kill 0\n": {false, false}, "": {false, false},
	} {
		put(t, made, map[string]string{"memory.events.local": text})
		if any, own := g.Killed(); any != want[0] || own != want[1] {
			t.Errorf("%q: killed %v, for its own limit %v", text, any, own)
		}
	}
	if err := g.OnOverrun(func() { t.Error("called in version 2") }); err != nil || g.watch != nil {
		t.Error(err)
	}
}

// TestVersion2Missing: what cannot be had is said, and is errors.ErrUnsupported.
func TestVersion2Missing(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"not delegated":         {"cgroup.controllers": "cpu pids\n", "cgroup.subtree_control": ""},
		"cannot be handed down": {"cgroup.controllers": "memory\n"}, // no subtree_control
	} {
		_, err := Membership{Two: fakeTree(t, files)}.find(Memory, true)
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := (Membership{}).find(Memory, true); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	dir := fakeTree(t, map[string]string{"cgroup.subtree_control": "memory\n"})
	makeFolder = func(string) error { return os.ErrPermission }
	if _, err := (Membership{Two: dir}).find(Memory, true); !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, os.ErrPermission) {
		t.Error(err)
	}
}

// TestDelegate: a controller is handed down from the group around the leaf of a program,
// and from the group in which it is, if nobody else is there.
func TestDelegate(t *testing.T) {
	dir := fakeTree(t, map[string]string{"cgroup.controllers": "memory\n", "cgroup.subtree_control": ""})
	if p, err := (Membership{Two: filepath.Join(dir, "tandem-7-program")}).find(Memory, true); err != nil || p.dir != dir {
		t.Errorf("from a leaf: %+v, %v", p, err)
	}
	is(t, dir, "cgroup.subtree_control", "+memory")

	// A kernel says EBUSY while there are processes: own ones, which a leaf takes, or
	// others, with which nothing can be done.
	self, parent := os.Getpid(), os.Getppid()
	for _, pids := range [][]int{{self}, {self, parent}} {
		dir := fakeTree(t, map[string]string{"cgroup.procs": strings.Trim(fmt.Sprint(pids), "[]") + "\n"})
		leaf := filepath.Join(dir, fmt.Sprintf("tandem-%d-program", self))
		err := Membership{Two: dir}.vacate(dir, func() error {
			if moved := members(leaf); slices.Equal(moved, pids) {
				return nil
			}
			return syscall.EBUSY
		})
		if alone := len(pids) == 1; (err == nil) != alone {
			t.Errorf("with %v in the group: %v", pids, err)
		}
	}
}

// TestDescends: this process and its children are its own, and nobody else.
func TestDescends(t *testing.T) {
	if !descends(os.Getpid()) || descends(os.Getppid()) || descends(1<<30) {
		t.Error("this process, its parent, or a process that is not there")
	}
}

// TestCeiling: the least limit on the way up, and whether one death is that of all.
func TestCeiling(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "pod", "container", "leaf")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	m := Membership{Two: dir}
	if c, ok := m.Ceiling(); ok {
		t.Errorf("without files: %+v", c)
	}
	put(t, filepath.Join(top, "pod"), map[string]string{"memory.max": "1073741824\n", "memory.oom.group": "0\n"})
	container := filepath.Dir(dir)
	put(t, container, map[string]string{
		"memory.max": "536870912\n", "memory.oom.group": "1\n", "memory.events": "oom 0\n",
		"memory.current": "300000000\n", "memory.stat": "anon 1\ninactive_file 70000000\nactive_file 30000000\n",
	})
	c, ok := m.Ceiling()
	if !ok || c.Bytes != 512<<20 || c.Dir != container || !c.Whole || c.Hit() {
		t.Errorf("%+v, %v", c, ok)
	}
	if used, err := c.Used(); used != 200000000 || err != nil {
		t.Errorf("used %d, %v", used, err)
	}
	put(t, container, map[string]string{"memory.max": "max\n", "memory.events": "oom 1\n"})
	if !c.Hit() {
		t.Error("the limit was hit")
	}
	if c, ok := m.Ceiling(); !ok || c.Bytes != 1<<30 || !c.Whole {
		t.Errorf("%+v, %v", c, ok)
	}
}
