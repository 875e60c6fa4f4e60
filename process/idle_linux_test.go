package process_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// watched is how long nobody may stir. Who looks around every few milliseconds
// does it many times in that.
const watched = 200 * time.Millisecond

// ticking leaves a goroutine behind that looks around every millisecond.
var ticking = tandem.NewTask("ticking", func(context.Context, struct{}) (struct{}, error) {
	go func() {
		for range time.Tick(time.Millisecond) {
		}
	}()
	return struct{}{}, nil
})

// Workers and their parent sleep while nothing is asked of them, whatever was
// asked before: no timer ticks, nobody looks around. What counts is how often
// threads went to sleep of their own accord, which a busy neighbour does not
// change.
func TestIdle(t *testing.T) {
	for name, pool := range map[string]*process.Pool{
		"rings":   {Transport: process.SharedMemory, Workers: 100},
		"threads": {Transport: process.SharedMemory, Workers: 10, Threads: 4},
		"sockets": {Transport: process.Sockets, Workers: 20},
	} {
		if raceEnabled {
			pool.Workers = min(pool.Workers, 20) // each takes much longer to start
		}
		t.Run(name, func(t *testing.T) { idle(t, pool) })
	}
}

func idle(t *testing.T, pool *process.Pool) {
	leaveNothing(t)
	allowed := watch(t, nil)
	allowed.parent += 15 // one who looks around every 10 ms makes 20
	allowed.workers = max(2, pool.Workers/10)
	allowed.used = watched / 50
	closing(t, pool)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := pool.Start(ctx); err != nil {
		t.Fatal(err)
	}
	workers := childrenOf(os.Getpid())
	if len(workers) < pool.Workers {
		t.Fatalf("%d child processes for %d workers", len(workers), pool.Workers)
	}
	until := func(what string, ok func(stirring) bool) {
		t.Helper()
		for end := time.Now().Add(patience); ; {
			s := watch(t, workers)
			if ok(s) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %v; allowed: %v", what, s, allowed)
			}
		}
	}
	quiet := func(s stirring) bool {
		return s.workers <= allowed.workers && s.parent <= allowed.parent && s.used <= allowed.used
	}
	until("fresh workers", quiet)

	in := make([]int, 10*pool.Workers)
	futures := make([]*tandem.Future[int], len(in))
	for i := range in {
		futures[i] = double.On(pool).Go(ctx, i)
	}
	for _, f := range futures {
		if _, err := f.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	until("after calls", quiet)

	in = make([]int, 1000*pool.Workers)
	if _, err := double.On(pool).All(ctx, in); err != nil {
		t.Fatal(err)
	}
	until("after a map", quiet)

	var waiting []*tandem.Future[struct{}]
	wait := func(callers int) { // with grace enough for a hundred to stop at once on a busy machine
		for len(waiting) < callers {
			waiting = append(waiting, untilCancelled.On(pool).Limit(tandem.Limits{Time: time.Hour, Grace: time.Hour}).Go(ctx, struct{}{}))
		}
	}
	wait(1)
	until("one waits for a task that sleeps", quiet)
	wait(pool.Width())
	until("each task sleeps and is waited for", quiet)
	wait(2 * pool.Width())
	until("as many calls wait for a worker", quiet)
	cancel()
	for _, f := range waiting {
		f.Wait(context.Background())
	}
	until("after all was cancelled", quiet)

	if _, err := ticking.On(pool).Call(context.Background(), struct{}{}); err != nil {
		t.Fatal(err)
	}
	until("one worker ticks, and it is not seen", func(s stirring) bool { return s.workers > allowed.workers })
}

// stirring is what processes did in an interval.
type stirring struct {
	length          time.Duration
	workers, parent int // how often their threads went to sleep, so also woke
	used            time.Duration
}

func (s stirring) String() string {
	return fmt.Sprintf("in %v the workers slept %d times, their parent %d times; together %v of processor time", s.length, s.workers, s.parent, s.used)
}

// watch looks at workers and this process while nothing is asked of them.
func watch(t *testing.T, workers []int) (s stirring) {
	t.Helper()
	here := []int{os.Getpid()}
	all := append(here, workers...)
	s.workers, s.parent, s.used = -naps(t, workers), -naps(t, here), -processorTime(t, all)
	begin := time.Now()
	time.Sleep(watched) // nothing is waited for: this is the time that is watched
	s.length = time.Since(begin)
	s.used += processorTime(t, all)
	s.parent += naps(t, here)
	s.workers += naps(t, workers)
	return s
}

// naps counts how often the threads of processes have gone to sleep so far.
func naps(t *testing.T, pids []int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, thread.Name()))
			_, rest, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
			var n int
			fmt.Sscan(rest, &n)
			sum += n
		}
	}
	return sum
}

// processorTime sums what processes have used so far, by the kernel's clock of
// each, which counts nanoseconds and not ticks.
func processorTime(t *testing.T, pids []int) (sum time.Duration) {
	t.Helper()
	for _, pid := range pids {
		var at unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &at); err != nil { // clock_getcpuclockid(3)
			t.Fatalf("the clock of process %d: %v", pid, err)
		}
		sum += time.Duration(at.Nano())
	}
	return sum
}
