package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/cgroup/cgrouptest"
)

// sleepIn starts a program that sleeps in a group, from a thread of its own.
func sleepIn(t *testing.T, g *Group) (p *os.Process, groups string) {
	t.Helper()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never undone: the thread ends
		attr := &syscall.SysProcAttr{Setsid: true}
		var leave func() error
		if leave, err = g.Enter(attr); err != nil {
			return
		}
		p, err = os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{Sys: attr})
		err = errors.Join(err, leave())
	}()
	<-done
	if errors.Is(err, unix.ENOSYS) {
		t.Skip("clone3 is filtered: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return p, string(text)
}

// TestBorn: a process is born in its group, which kills it and goes with it, in each
// version of which this system has a tree.
func TestBorn(t *testing.T) {
	if _, err := os.Stat("/bin/sleep"); err != nil {
		t.Skip(err)
	}
	m, _ := Own()
	before, _ := os.ReadFile("/proc/thread-self/cgroup")
	for name, p := range map[string]Place{
		"version 1, memory": {dir: m.One[Memory], home: m.One[Memory]},
		"version 1, pids":   {dir: m.One[PIDs], home: m.One[PIDs]},
		"version 2":         {dir: m.above(), two: true},
	} {
		t.Run(name, func(t *testing.T) {
			if p.dir == "" {
				t.Skip("not mounted")
			}
			f, err := p.folder()
			if errors.Is(err, os.ErrPermission) || errors.Is(err, unix.EROFS) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			g := &Group{memory: f}
			defer g.Close()
			process, groups := sleepIn(t, g)
			if !strings.Contains(groups, filepath.Base(f.dir)) {
				t.Errorf("it is in\n%s", groups)
			}
			g.Close()
			state, err := process.Wait()
			if err != nil || state.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
				t.Errorf("%v, %v", state, err)
			}
			g.Close() // it may not have been gone before it was reaped
			if _, err := os.Stat(f.dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", f.dir)
			}
		})
	}
	if after, _ := os.ReadFile("/proc/self/cgroup"); string(after) != string(before) {
		t.Errorf("this program has moved from\n%sto\n%s", before, after)
	}
}

// TestSetMemory: the limit goes up and down, with that of swap, as far as the kernel
// has them, and what is wanted of a group without a limit is refused.
func TestSetMemory(t *testing.T) {
	place, err := Find(Memory, true)
	if err != nil {
		cgrouptest.Skip(t, err, Memory)
	}
	g, err := Make(Bounds{Memory: 128 << 20}, place, Place{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	names := map[bool][]string{false: {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"}, true: {"memory.max"}}
	for _, want := range []int64{256 << 20, 64 << 20, 512 << 20} {
		if err := g.SetMemory(want); err != nil {
			t.Errorf("%d: %v", want, err)
		}
		for _, name := range names[place.two] {
			if got, err := number(g.memory.dir, name); got != want && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is %d, %v; want %d", name, got, err, want)
			}
		}
	}
	if used, err := g.Used(); used < 0 || used > 1<<20 || err != nil {
		t.Errorf("an empty group uses %d, %v", used, err)
	}
	if any, own := g.Killed(); any || own {
		t.Error("nobody was in it")
	}
	without := &Group{}
	if err := without.SetMemory(1); !errors.Is(err, errors.ErrUnsupported) || without.BoundsMemory() {
		t.Error(err)
	}
}

// BenchmarkFindCeiling is what the first process of every program waits for.
func BenchmarkFindCeiling(b *testing.B) {
	for b.Loop() {
		FindCeiling()
	}
}

// TestInherit: the groups of a process that is gone are removed, and those of one that
// has its number now are not.
func TestInherit(t *testing.T) {
	place, err := Find(Memory, false)
	if err != nil {
		cgrouptest.Skip(t, err, Memory)
	}
	child, err := os.StartProcess("/proc/self/exe", []string{"exe", "-test.run=^$"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, child.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil { // it stays a zombie
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Wait() })
	for pid, stays := range map[int]bool{os.Getpid(): true, child.Pid: false} {
		dir := filepath.Join(place.dir, fmt.Sprintf("%s%d-inherit", prefix, pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(dir) })
		Inherit(func(maker int) bool { return maker == pid })
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("process %d, of which this one is %d: its group is there: %v", pid, os.Getpid(), err == nil)
		}
	}
}
