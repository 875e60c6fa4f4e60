package process_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var recyclesFlag = flag.Int("recycles", 100, "how many workers TestRecycles uses up")

// TestRecycles: of workers that come and go for long nothing is left: no descriptor, no
// memory, no goroutine, no process, no thread.
func TestRecycles(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 2, MaxTasks: 1}
	closing(t, pool)
	use := func(n int) {
		t.Helper()
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				for i := range n / 2 {
					if got, err := double.On(pool).Call(t.Context(), i); got != 2*i || err != nil {
						t.Errorf("call %d: %d, %v", i, got, err)
						return
					}
				}
			})
		}
		callers.Wait()
	}
	still := func() { // those that leave take a second for it in a race build
		t.Helper()
		eventually(t, "the workers that had their call are gone", func() bool { s := pool.Stats(); return s.Workers <= 2 && s.Started-s.Ended <= 2 })
	}
	use(50 + *recyclesFlag/10) // until what grows once has grown
	still()
	before := footprint(t)
	start := time.Now()
	use(*recyclesFlag)
	took := time.Since(start)
	still()
	after := footprint(t)
	t.Logf("%d recycles in %v; before %v, after %v", *recyclesFlag, took, before, after)
	if s := pool.Stats(); s.Recycled+4 < uint64(*recyclesFlag) || s.Failed+s.Crashed > 0 {
		t.Errorf("%+v", s)
	}
	// Two workers are somewhere in their lives in each case, with some descriptors each.
	if d := after.descriptors - before.descriptors; d > 60 {
		t.Errorf("%d descriptors more", d)
	}
	if d := after.goroutines - before.goroutines; d > 40 {
		t.Errorf("%d goroutines more", d)
	}
	if d := after.threads - before.threads; d > 20 {
		t.Errorf("%d threads more", d)
	}
	if d := after.heap - before.heap; d > 4<<20 {
		t.Errorf("%d bytes more on the heap", d)
	}
	if d := after.resident - before.resident; d > 32<<20 {
		t.Errorf("%d bytes more resident", d)
	}
}

// held is what a process holds.
type held struct {
	descriptors, goroutines, threads int
	heap, resident                   int64
}

func (h held) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, %d threads, %d KiB heap, %d KiB resident", h.descriptors, h.goroutines, h.threads, h.heap>>10, h.resident>>10)
}

func footprint(t *testing.T) (h held) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.heap, h.goroutines = int64(m.HeapAlloc), runtime.NumGoroutine()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	h.descriptors, h.threads = len(fds), len(tasks)
	statm, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		var size, pages int64
		_, err = fmt.Sscan(string(statm), &size, &pages)
		h.resident = pages * int64(os.Getpagesize())
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// growing keeps what it is given for ever.
var growing = tandem.NewTask("growing", func(_ context.Context, mib int) (int, error) {
	hoard(mib)
	return os.Getpid(), nil
})

// reasons collects why the workers of a pool end.
func reasons(pool *process.Pool) (all func() []string, stop func()) {
	var mu sync.Mutex
	var list []string
	stop = process.OnWorkerEnd(pool, func(reason string) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, reason)
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), list...)
	}, stop
}

// TestRecycleReasons: a worker is replaced by its calls, its age or its growth, between
// two calls, and the events say which it was.
func TestRecycleReasons(t *testing.T) {
	for _, c := range []struct {
		name string
		pool *process.Pool
		mib  int
		want string
	}{
		{"tasks", &process.Pool{Workers: 1, MaxTasks: 3}, 0, "recycled: it has had "},
		{"age", &process.Pool{Workers: 1, MaxAge: 200 * time.Millisecond}, 0, "recycled: it is older than Pool.MaxAge, 200ms"},
		{"growth", &process.Pool{Workers: 1, MaxGrowth: 64 << 20}, 1, "recycled: its memory has grown by "},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaveNothing(t)
			closing(t, c.pool)
			why, stop := reasons(c.pool)
			defer stop()
			pids := map[int]bool{}
			eventually(t, "two workers were replaced", func() bool {
				pid, err := growing.On(c.pool).Call(t.Context(), c.mib)
				if err != nil {
					t.Fatal(err)
				}
				pids[pid] = true
				return len(why()) >= 2
			})
			for _, reason := range why() {
				if !strings.HasPrefix(reason, c.want) {
					t.Errorf("reason %q, want %q", reason, c.want)
				}
			}
			if s := c.pool.Stats(); s.Recycled < 2 || s.Failed > 0 || len(pids) < 2 {
				t.Errorf("%d processes, %+v", len(pids), s)
			}
		})
	}
}

// TestLifecycle: each worker is told of three times, in order, with a reason at its end.
func TestLifecycle(t *testing.T) {
	leaveNothing(t)
	var mu sync.Mutex
	lives := map[int][]process.Lifecycle{}
	pool := &process.Pool{Workers: 2, MaxTasks: 2, Lifecycle: func(l process.Lifecycle) {
		mu.Lock()
		defer mu.Unlock()
		lives[l.Worker] = append(lives[l.Worker], l)
	}, Config: process.Config{Stderr: io.Discard}}
	for i := range 5 {
		if _, err := double.On(pool).Call(t.Context(), i); err != nil {
			t.Error(err)
		}
	}
	if _, err := ending.On(pool).Call(t.Context(), "exit 3"); err == nil {
		t.Error("a task that ends its process returned")
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	said := map[string]bool{}
	for worker, life := range lives {
		if len(life) == 2 && life[1].Stage == process.WorkerEnded { // Close came before it served
			continue
		}
		if len(life) != 3 || life[0].Stage != process.WorkerStarted || life[1].Stage != process.WorkerServes || life[2].Stage != process.WorkerEnded {
			t.Errorf("worker %d: %+v", worker, life)
			continue
		}
		if life[0].PID <= 0 || life[0].PID != life[2].PID || life[0].Reason != "" || life[2].Reason == "" {
			t.Errorf("worker %d: %+v", worker, life)
		}
		why, _, _ := strings.Cut(life[2].Reason, ":")
		said[why] = true
	}
	if !said["recycled"] || !said["exit status 3"] {
		t.Errorf("the reasons were %v; want a recycled worker, and one that left by exit status 3", said)
	}
}

// TestRecycleRefuses: what makes no sense.
func TestRecycleRefuses(t *testing.T) {
	for _, p := range []*process.Pool{{MaxAge: -1}, {MaxGrowth: -1}, {PoisonAfter: -1}} {
		if err := p.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "is negative") {
			t.Errorf("%+v: %v", p, err)
		}
		p.Close()
	}
}

// TestRecycleAtOnce: no worker is so young that its age is not seen.
func TestRecycleAtOnce(t *testing.T) {
	leaveNothing(t)
	for range 20 {
		pool := &process.Pool{Workers: 1, MaxAge: 1}
		if _, err := double.On(pool).Call(t.Context(), 1); err != nil {
			t.Error(err)
		}
		eventually(t, "the worker is replaced", func() bool { return pool.Stats().Recycled > 0 })
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
}
