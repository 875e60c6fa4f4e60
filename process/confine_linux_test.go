package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/cgroup/cgrouptest"
	"github.com/tandem-go/tandem/process"
)

// selfView is what a worker sees of its own limits.
type selfView struct {
	Nice []int // of each thread, without doubles
	CPUs []int
	Can  int // tandem.CPUs
}

var lookAtSelf = tandem.NewTask("look at self", func(context.Context, int) (s selfView, err error) {
	threads, err := filepath.Glob("/proc/self/task/*")
	for _, thread := range threads {
		tid, _ := strconv.Atoi(filepath.Base(thread))
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid)
		if err == nil && !slices.Contains(s.Nice, 20-raw) {
			s.Nice = append(s.Nice, 20-raw)
		}
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(tid, &set); err != nil {
			continue
		}
		for c := range 1024 {
			if set.IsSet(c) && !slices.Contains(s.CPUs, c) {
				s.CPUs = append(s.CPUs, c)
			}
		}
	}
	s.Can = tandem.CPUs()
	return s, err
})

// TestNiceAndCPUs: they hold for all threads of a worker, also in a process of its own,
// and this process keeps its own.
func TestNiceAndCPUs(t *testing.T) {
	leaveNothing(t)
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &set); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !set.IsSet(cpu) {
		cpu++
	}
	c := process.Config{Nice: 3, CPUs: []int{cpu}}
	pool := &process.Pool{Workers: 1, Config: c}
	closing(t, pool)
	check := func(where string, s selfView, err error) {
		t.Helper()
		want := min(20-own+3, 19)
		if err != nil || !slices.Equal(s.Nice, []int{want}) || !slices.Equal(s.CPUs, []int{cpu}) || s.Can != 1 {
			t.Errorf("%s: %+v, %v; want nice %d on CPU %d in all threads", where, s, err, want, cpu)
		}
	}
	s, err := lookAtSelf.On(pool).Call(t.Context(), 0)
	check("a pool", s, err)
	h, err := process.Start(t.Context(), c, lookAtSelf, 0)
	if err == nil {
		s, err = h.Wait(t.Context())
	}
	check("a process", s, err)
	if now, _ := unix.Getpriority(unix.PRIO_PROCESS, 0); now != own {
		t.Errorf("this process had priority %d and has %d", own, now)
	}
	if kept := pool.Stats().Limits; !strings.Contains(kept, "setpriority") || !strings.Contains(kept, "sched_setaffinity") {
		t.Errorf("Stats say %q", kept)
	}
}

// swarm starts as many processes as it may, one of them in a session of its own, and
// says how many there were and what was wrong with the next.
var swarm = tandem.NewTask("swarm", func(_ context.Context, most int) (s struct {
	Started, Runaway int
	Err              error
}, err error) {
	for range most {
		c := exec.Command("/bin/sleep", "1000")
		if s.Started == 0 {
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		}
		if s.Err = c.Start(); s.Err != nil {
			break
		}
		if s.Started++; s.Runaway == 0 {
			s.Runaway = c.Process.Pid
		}
	}
	return s, nil
})

// TestProcesses: a task that starts processes without end is stopped by EAGAIN, others
// go on, and all that it started goes with its worker, also what left its group. Where
// no group can be made, the limit is refused.
func TestProcesses(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Processes: 64, Stderr: io.Discard}}
	closing(t, pool)
	dir, err := cgroup.Find(cgroup.PIDs, true)
	if err != nil {
		if e := pool.Start(t.Context()); !errors.Is(e, errors.ErrUnsupported) {
			t.Errorf("no group can be made (%v), and Start says %v", err, e)
		}
		cgrouptest.Skip(t, err, cgroup.PIDs)
	}
	if _, err := os.Stat("/bin/sleep"); err != nil {
		t.Skip(err)
	}
	got, err := swarm.On(pool).Call(t.Context(), 200)
	if err != nil {
		t.Fatal(err)
	}
	if got.Started < 20 || got.Started > 64 || !errors.Is(got.Err, syscall.EAGAIN) {
		t.Errorf("%d processes were started, then: %v; want some 40, and EAGAIN", got.Started, got.Err)
	}
	t.Logf("%d processes beside the worker's threads", got.Started)
	if !strings.Contains(pool.Stats().Limits, dir.Path()) {
		t.Errorf("Stats say %q", pool.Stats().Limits)
	}
	runaway, ok := statOf(got.Runaway)
	if !ok || !runaway.runs() {
		t.Fatal("the runaway has not run")
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "what left the group is gone, too", func() bool { return !runaway.runs() })
	if left, _ := filepath.Glob(filepath.Join(dir.Path(), fmt.Sprintf("tandem-%d-*", os.Getpid()))); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// TestConfineRefuses: what cannot be kept is refused, and said.
func TestConfineRefuses(t *testing.T) {
	for want, c := range map[string]process.Config{
		"Processes is negative": {Processes: -1}, "Processes of 63 cannot be kept": {Processes: 63},
		"Nice is 20": {Nice: 20}, "Nice is -1": {Nice: -1},
		"CPUs is empty": {CPUs: []int{}}, "CPUs has 99999": {CPUs: []int{99999}}, "CPUs has -1": {CPUs: []int{-1}},
	} {
		_, err := process.Start(t.Context(), c, double, 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
