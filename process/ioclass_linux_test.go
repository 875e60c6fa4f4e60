package process_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
)

// ioRanks is what a worker sees of its I/O class: those of all its threads, without
// doubles, and that of a program it starts.
type ioRanks struct {
	Threads []int
	Program int
}

var lookAtIO = tandem.NewTask("look at I/O", func(context.Context, int) (r ioRanks, err error) {
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		return r, err
	}
	defer sleep.Wait()
	defer sleep.Process.Kill()
	if r.Program, err = sys.IORank(sleep.Process.Pid); err != nil {
		return r, err
	}
	threads, err := filepath.Glob("/proc/self/task/*")
	for _, thread := range threads {
		tid, _ := strconv.Atoi(filepath.Base(thread))
		rank, err := sys.IORank(tid)
		if err == nil && !slices.Contains(r.Threads, rank) {
			r.Threads = append(r.Threads, rank)
		}
	}
	return r, err
})

// ioRankOfThread is for where /proc is closed.
var ioRankOfThread = tandem.NewTask("I/O rank of a thread", func(context.Context, int) (int, error) { return sys.IORank(0) })

// TestIOClass: it holds for all threads of a worker and for what its tasks start, in a
// pool, in a process of its own and in a sandbox, and this process keeps its own.
func TestIOClass(t *testing.T) {
	if _, err := sys.IORank(0); errors.Is(err, unix.ENOSYS) {
		t.Skip("this system ranks no reads and writes")
	}
	leaveNothing(t)
	own, err := sys.IORank(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config process.Config
		want   int
	}{
		{process.Config{IOClass: process.IOIdle}, 3 << 13},
		{process.Config{IOClass: process.IOBestEffort}, 2 << 13},
		{process.Config{IOClass: process.IOBestEffort, IOLevel: 7}, 2<<13 | 7},
	} {
		pool := &process.Pool{Workers: 1, Config: c.config}
		got, err := lookAtIO.On(pool).Call(t.Context(), 0)
		if err != nil || !slices.Equal(got.Threads, []int{c.want}) || got.Program != c.want {
			t.Errorf("in a pool: %+v, %v; want %d everywhere", got, err, c.want)
		}
		if kept := pool.Stats().Limits; !strings.Contains(kept, "ioprio_set") {
			t.Errorf("Stats say %q", kept)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		h, err := process.Start(t.Context(), c.config, lookAtIO, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Wait(t.Context()); err != nil || !slices.Equal(got.Threads, []int{c.want}) {
			t.Errorf("in a process: %+v, %v; want %d", got, err, c.want)
		}
	}
	if now, err := sys.IORank(0); now != own || err != nil {
		t.Errorf("this process had rank %d and has %d, %v", own, now, err)
	}
}

// TestIOClassInSandbox: the process is born with it.
func TestIOClassInSandbox(t *testing.T) {
	s := &process.Sandbox{NoFiles: true, NoNetwork: true, NoExec: true}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s, IOClass: process.IOBestEffort, IOLevel: 6}}
	closing(t, pool)
	if got, err := ioRankOfThread.On(pool).Call(t.Context(), 0); err != nil || got != 2<<13|6 {
		t.Errorf("rank %d, %v", got, err)
	}
}

// TestIOClassRefuses: what makes no sense.
func TestIOClassRefuses(t *testing.T) {
	for want, c := range map[string]process.Config{
		"IOClass is 3": {IOClass: 3}, "IOLevel is 8": {IOClass: process.IOBestEffort, IOLevel: 8}, "IOLevel is -1": {IOLevel: -1},
		"without IOBestEffort": {IOClass: process.IOIdle, IOLevel: 1},
	} {
		if _, err := process.Start(t.Context(), c, double, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
