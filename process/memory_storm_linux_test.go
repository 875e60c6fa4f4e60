package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/cgroup/cgrouptest"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
)

// stormLimit is the limit of memory, stormEnds where a storm stops that nothing has
// ended: the machine has other users.
const (
	stormLimit = 256 << 20
	stormEnds  = 768 << 20
	stormPiece = 1 << 20
)

// storms take memory as different programs do, and write to it. They return how much
// they got.
var storms = map[string]func() (int, error){
	"Go heap":        func() (int, error) { return hoard(stormEnds / stormPiece), nil },
	"anonymous mmap": func() (int, error) { return mapping(-1) },
	"brk":            breaking,
	"memfd, shared":  inMemfd,
	"small children": children,
}

var storming = tandem.NewTask("storming", func(_ context.Context, how string) (int, error) {
	got, err := storms[how]()
	if err != nil {
		err = fmt.Errorf("after %d MiB: %w", got>>20, err)
	}
	return got, err
})

// mapping maps pieces of a file, or of none with -1, privately as malloc does. What is
// refused is an error, and not a death: C code that does not look is in examples/native.
func mapping(fd int) (got int, err error) {
	flags := unix.MAP_PRIVATE | unix.MAP_ANON
	if fd >= 0 {
		flags = unix.MAP_SHARED
	}
	for got = 0; got < stormEnds; got += stormPiece {
		at := int64(0)
		if fd >= 0 {
			at = int64(got)
		}
		b, err := unix.Mmap(fd, at, stormPiece, unix.PROT_READ|unix.PROT_WRITE, flags)
		if err != nil {
			return got, err
		}
		touch(b)
	}
	return got, nil
}

func touch(b []byte) {
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
}

// breaking moves the end of the data segment, as malloc does for small pieces. What it
// gets counts for the limit before it is touched, which only C code could do.
func breaking() (got int, err error) {
	end, _, _ := unix.Syscall(unix.SYS_BRK, 0, 0, 0)
	for got = 0; got < stormEnds; got += stormPiece {
		next, _, _ := unix.Syscall(unix.SYS_BRK, end+stormPiece, 0, 0)
		if next != end+stormPiece {
			return got, unix.ENOMEM
		}
		end = next
	}
	return got, nil
}

func inMemfd() (int, error) {
	f, err := sys.Memfd("tandem-storm", stormEnds)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return mapping(int(f.Fd()))
}

// children starts programs that each take little, until all together take much.
func children() (got int, err error) {
	const each = 24 << 20
	// The shell holds the text of so many zero bytes, as one word.
	script := fmt.Sprintf("x=$(head -c %d /dev/zero | tr '\\0' x); read y", each)
	for got = 0; got < stormEnds; got += each {
		c := exec.Command("sh", "-c", script)
		in, err := c.StdinPipe()
		if err != nil {
			return got, err
		}
		defer in.Close()
		if err := c.Start(); err != nil {
			return got, err
		}
	}
	select {} // the limit of time ends it, with its children
}

// TestMemoryStorms: a limit of 256 MiB against storms of allocations, of all kinds with
// a memory cgroup. Without one, one process that takes private memory is held by it,
// however it does; what cannot be held so, shared memory and many children, is printed
// with how long it went on.
func TestMemoryStorms(t *testing.T) {
	if raceEnabled {
		t.Skip("a race build keeps no limit of memory")
	}
	leaveNothing(t)
	t.Run("cgroup", func(t *testing.T) {
		folder, version, err := process.MemoryGroups()
		if err != nil {
			cgrouptest.Skip(t, err, cgroup.Memory)
		}
		t.Logf("version %d, below %s", version, folder)
		for _, how := range []string{"Go heap", "anonymous mmap", "brk", "memfd, shared", "small children"} {
			// Others on this machine take memory, too: a limit that is not kept fails each time.
			for round := 1; ; round++ {
				w, err := weather(t, how, time.Minute)
				wrong := w.wrong(err, how == "anonymous mmap" || how == "brk")
				if wrong == "" {
					break
				}
				if round == 5 {
					t.Errorf("%s: %s", how, wrong)
					break
				}
			}
		}
	})
	t.Run("without", func(t *testing.T) {
		defer process.WithoutGroups()()
		for _, c := range []struct {
			how  string
			held bool
		}{{"Go heap", true}, {"anonymous mmap", true}, {"brk", true}, {"memfd, shared", false}, {"small children", false}} {
			w, err := weather(t, c.how, 3*time.Second)
			if !c.held {
				continue
			}
			if !errors.Is(err, tandem.ErrMemory) && !errors.Is(err, unix.ENOMEM) {
				t.Errorf("%s: %v, want ErrMemory, or ENOMEM for who looks", c.how, err)
			}
			if most := int64(stormLimit + stormLimit/10); w.private > most {
				t.Errorf("%s: the worker had %d MiB", c.how, w.private>>20)
			}
		}
	})
}

// weather lets a storm run in a pool with a limit, and prints what it took. What nothing
// holds ends with its time.
func weather(t *testing.T, how string, atMost time.Duration) (*weighing, error) {
	t.Helper()
	limits := tandem.Limits{Memory: stormLimit, Time: atMost, Grace: -1}
	pool := &process.Pool{Workers: 1, Limits: limits, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	pid, err := growing.On(pool).Call(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w := weighWhile(pid)
	got, err := storming.On(pool).Call(t.Context(), how)
	w.stop()
	ended := time.Now()
	over := "never above the limit"
	if !w.above.IsZero() {
		over = fmt.Sprintf("ended %v after it was above the limit", ended.Sub(w.above).Round(100*time.Microsecond))
	}
	t.Logf("%-14s  free memory %4d MiB less, the worker's own %4d MiB, all of its group %4d MiB; %s: got %d MiB, %v",
		how, w.lost>>20, w.private>>20, w.group>>20, over, got>>20, err)
	if alive(pid) && errors.Is(err, tandem.ErrMemory) {
		t.Errorf("%s: the worker lives", how)
	}
	return w, err
}

// wrong says what is wrong with the end of a storm under a cgroup, "" if nothing is.
func (w *weighing) wrong(err error, looks bool) string {
	const most = stormLimit + stormLimit/10
	switch {
	case !errors.Is(err, tandem.ErrMemory) && !(looks && errors.Is(err, unix.ENOMEM)):
		return fmt.Sprintf("%v, want ErrMemory", err)
	case errors.Is(err, tandem.ErrMemory) && !strings.Contains(err.Error(), "Limits.Memory is 256 MiB"):
		return fmt.Sprintf("%v does not name the limit", err)
	case w.lost > most:
		return fmt.Sprintf("the machine had %d MiB less", w.lost>>20)
	}
	return ""
}

// weighing is what was seen of a worker from outside, every millisecond.
type weighing struct {
	lost, private, group int64     // the most of each, in bytes
	above                time.Time // when all of its group was above the limit first
	halt                 chan struct{}
	over                 sync.WaitGroup
}

func weighWhile(pid int) *weighing {
	w := &weighing{halt: make(chan struct{})}
	free := freeMemory()
	w.over.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.halt:
				return
			case <-tick.C:
			}
			if private, err := sys.Resident(pid); err == nil {
				w.private = max(w.private, private)
			}
			all := residentOf(pid)
			for _, child := range childrenOf(pid) {
				all += residentOf(child)
			}
			w.group = max(w.group, all)
			if all > stormLimit && w.above.IsZero() {
				w.above = time.Now()
			}
			w.lost = max(w.lost, free-freeMemory())
		}
	})
	return w
}

func (w *weighing) stop() {
	close(w.halt)
	w.over.Wait()
}

// residentOf is what a process has in use, shared or not.
func residentOf(pid int) int64 { return kibOf(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:") }

// freeMemory is what the machine has to give.
func freeMemory() int64 { return kibOf("/proc/meminfo", "MemAvailable:") }

// kibOf reads a line such as "VmRSS:  123 kB", in bytes.
func kibOf(file, name string) int64 {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}
