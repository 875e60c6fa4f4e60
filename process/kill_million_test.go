package process_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var million = flag.Int("million", millionth, "how many tasks TestMillion runs under kills, and how many without")

const (
	killEvery = 50 * time.Millisecond
	recovery  = 10 // starts between two kills, at least: one takes 2 ms, on other machines 20
	blocks    = 5  // of each kind
)

// TestMillion: small tasks in great number while a worker is killed every 50 ms, or
// in the time of 10 starts. Each settles once, with its own answer or a CrashError. What
// that costs is the ratio to undisturbed blocks in between; the memory of this process
// stays flat.
// The full figure: go test ./process -run TestMillion -v -million 1000000
func TestMillion(t *testing.T) {
	t.Run("calls", func(t *testing.T) { manyUnderKills(t, doubleByCalls) })
	t.Run("Map", func(t *testing.T) { manyUnderKills(t, doubleByMap) })
}

func manyUnderKills(t *testing.T, all func(*process.Pool, []settled)) {
	leaveNothing(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 5))
	var told atomic.Int64
	victims := &victims{serving: map[*process.Process]bool{}}
	pool := &process.Pool{Workers: 4, Progress: func(p process.Progress) {
		told.Add(1)
		victims.add(p.PID)
	}}
	closing(t, pool)
	begin := time.Now()
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pause := max(killEvery, recovery*time.Since(begin)/4)
	outcomes := make([]settled, *million/blocks)
	all(pool, outcomes) // the pool grows to its size
	before := memoryHere()

	var calm, stormy []time.Duration
	var killed, crashed int
	for len(calm) < blocks || killed == 0 && len(calm) < 20*blocks {
		calm = append(calm, block(t, pool, all, outcomes, nil))
		stop := victims.huntEvery(random, every(random, pause))
		stormy = append(stormy, block(t, pool, all, outcomes, &crashed))
		killed = stop()
	}
	after := memoryHere()

	if n := int64(len(outcomes) * (2*len(calm) + 1)); told.Load() != n {
		t.Errorf("told of %d tasks, %d were settled", told.Load(), n)
	}
	eventually(t, "the killed are counted", func() bool { return pool.Stats().Ended >= uint64(killed) })
	ratio := median(calm).Seconds() / median(stormy).Seconds()
	t.Logf("%d tasks under %d kills, one in %v: %d crashed; %.0f tasks/s, undisturbed %.0f: ratio %.2f",
		len(outcomes)*len(calm), killed, pause, crashed, float64(len(outcomes))/median(stormy).Seconds(), float64(len(outcomes))/median(calm).Seconds(), ratio)
	t.Logf("memory of this process before and after: heap %.1f and %.1f MB, resident %.1f and %.1f MB",
		before.heap, after.heap, before.resident, after.resident)
	if killed == 0 {
		t.Error("no kill: the test has tried nothing")
	}
	if ratio < 0.3 { // 0.7 is what a machine with nothing else to do must keep
		t.Errorf("under kills the throughput is %.2f of the undisturbed", ratio)
	}
	if after.heap > 2*before.heap+8 || after.resident > 1.5*before.resident+32 {
		t.Errorf("the memory of this process grew: %+v, then %+v", before, after)
	}
}

// every is a pause of d each time, but for the first, which is shorter by chance:
// a block may last less than d, and has its share of kills all the same.
func every(random *rand.Rand, d time.Duration) func() time.Duration {
	next := time.Duration(random.Int64N(int64(d)))
	return func() time.Duration {
		pause := next
		next = d
		return pause
	}
}

// settled is the outcome of one task, and how often it had one.
type settled struct {
	times int32
	err   error
	value int
}

func (s *settled) as(value int, err error) {
	atomic.AddInt32(&s.times, 1)
	s.value, s.err = value, err
}

// block runs all once and judges each outcome. Crashes are counted, and are wrong
// where nobody counts them.
func block(t *testing.T, pool *process.Pool, all func(*process.Pool, []settled), outcomes []settled, crashes *int) time.Duration {
	t.Helper()
	clear(outcomes)
	begin := time.Now()
	all(pool, outcomes)
	took := time.Since(begin)
	for n, o := range outcomes {
		_, crashed := errors.AsType[*tandem.CrashError](o.err)
		switch {
		case o.times != 1:
			t.Fatalf("task %d settled %d times", n, o.times)
		case o.err == nil && o.value != 2*n:
			t.Fatalf("task %d got %d, another's answer", n, o.value)
		case crashed && crashes != nil:
			*crashes++
		case o.err != nil:
			t.Fatalf("task %d: %v", n, o.err)
		}
	}
	return took
}

func doubleByCalls(pool *process.Pool, outcomes []settled) {
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for n := i; n < len(outcomes); n += callers {
				outcomes[n].as(double.On(pool).Call(context.Background(), n))
			}
		})
	}
	all.Wait()
}

func doubleByMap(pool *process.Pool, outcomes []settled) {
	numbers := func(yield func(int) bool) {
		for n := range outcomes {
			if !yield(n) {
				return
			}
		}
	}
	for it := range double.On(pool).Unordered(context.Background(), numbers) {
		outcomes[it.Index].as(it.Out, it.Err)
	}
}

func median(d []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)/2]
}

// memory is what this process holds, in MB.
type memory struct{ heap, resident float64 }

func memoryHere() (m memory) {
	debug.FreeOSMemory() // which collects first
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.heap = float64(stats.HeapInuse) / 1e6
	statm, err := os.ReadFile("/proc/self/statm") // elsewhere the heap must do
	if fields := strings.Fields(string(statm)); err == nil && len(fields) > 1 {
		pages, _ := strconv.Atoi(fields[1])
		m.resident = float64(pages*os.Getpagesize()) / 1e6
	}
	return m
}
