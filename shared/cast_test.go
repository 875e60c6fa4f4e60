//go:build linux

package shared_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
	"github.com/tandem-go/tandem/thread"
)

// cast is what a task of these tests is given: the part that it plays, and the
// things that it plays with.
type cast struct {
	Role   string
	N      int
	Script []string
	Tally  *shared.Value[tally]
	Event  *shared.Event
	Ready  *shared.Event
	Sem    *shared.Semaphore
	Group  *shared.WaitGroup
	Once   *shared.Once
	Meet   *shared.Barrier
	RW     *shared.RWMutex
	Lock   *shared.Mutex
	Want   *shared.Mutex
	Second *shared.Mutex
	Cond   *shared.Cond
	Data   *shared.Buffer
	Slice  *shared.Slice[int64]
	Num    *shared.Atomic[int64]
	Sum    *shared.Atomic[float64]
	Line   *shared.Queue[ware]
	Words  *shared.Queue[string]
	Phone  *shared.Conn[reply, call]
	Bell   *shared.Conn[call, reply]
	Has    seat
	Needs  seat
	Seats  []seat
	Board  *shared.Value[board]
}

// tally is what several count in.
type tally struct{ Now, Most, Total, Owner int }

var act = tandem.NewTask("act", func(ctx context.Context, c cast) (int, error) {
	f := scenes[c.Role]
	if f == nil {
		return 0, fmt.Errorf("no role %q", c.Role)
	}
	return f(ctx, c)
})

// scenes by role. The tests of each type add theirs.
var scenes = map[string]func(context.Context, cast) (int, error){}

func scene(role string, f func(ctx context.Context, c cast) (int, error)) bool {
	scenes[role] = f
	return true
}

// everywhere runs f with n goroutines to play in, with n threads, and with n processes.
func everywhere(t *testing.T, n int, f func(t *testing.T, place tandem.Runner)) {
	t.Run("goroutines", func(t *testing.T) { f(t, tandem.Goroutines(n)) })
	t.Run("threads", func(t *testing.T) {
		pool := &thread.Pool{Threads: n}
		defer pool.Close()
		f(t, pool)
	})
	t.Run("processes", func(t *testing.T) {
		pool := &process.Pool{Workers: n}
		defer pool.Close()
		f(t, pool)
	})
}

// alone plays c in a process of its own, for one that is going to be killed.
func alone(t *testing.T, c cast) *process.Handle[int] { return aloneAs(t, process.Config{}, c) }

func aloneAs(t *testing.T, config process.Config, c cast) *process.Handle[int] {
	t.Helper()
	h, err := process.Start(t.Context(), config, act, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Process.Kill(); <-h.Done() })
	return h
}

func kill(h *process.Handle[int]) {
	h.Process.Kill()
	<-h.Done()
}

// open makes a thing that is closed when the test ends.
func open[T interface{ Close() error }](t testing.TB) func(thing T, err error) T {
	return func(thing T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := thing.Close(); err != nil {
				t.Error(err)
			}
		})
		return thing
	}
}

func newTally(t testing.TB) *shared.Value[tally] {
	return open[*shared.Value[tally]](t)(shared.NewValue(tally{}))
}

func newEvent(t testing.TB) *shared.Event { return open[*shared.Event](t)(shared.NewEvent()) }

// until waits for what others do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(200 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := timeout(20 * time.Second)
	t.Cleanup(cancel)
	return ctx
}

// runs reports whether a thread of a process may still touch its memory. One that is
// giving that back may take some 100 ms for it, in which the first thread's state can say
// that it runs: what tells is that all threads have begun to end.
func runs(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return slices.ContainsFunc(threads, func(path string) bool {
		stat, err := os.ReadFile(path)
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if err != nil || len(fields) < 7 {
			return false // it ended in this moment
		}
		flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
		return err != nil || flags&exiting == 0
	})
}

// exiting is the kernel's flag of a thread that has begun to end, and of a zombie.
const exiting = 4

// all plays n times the role of c at once, and returns the futures.
func all(ctx context.Context, place tandem.Runner, n int, c cast) []*tandem.Future[int] {
	var list []*tandem.Future[int]
	for range n {
		list = append(list, act.On(place).Go(ctx, c))
	}
	return list
}

func waitAll(t *testing.T, list []*tandem.Future[int]) (results []int) {
	t.Helper()
	for _, f := range list {
		n, err := f.Wait(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, n)
	}
	return results
}

func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// change is Update, after a Repair if somebody was killed in one.
func change(ctx context.Context, v *shared.Value[tally], f func(y *tally) error) error {
	for {
		err := v.Update(ctx, f)
		if died := (*shared.OwnerDiedError)(nil); !errors.As(err, &died) {
			return err
		}
		if err := v.Repair(ctx, func(*tally, *shared.OwnerDiedError) error { return nil }); err != nil {
			return err
		}
	}
}

// takeOver is for who should be alone: the one before must be gone, or have left.
func takeOver(ctx context.Context, v *shared.Value[tally]) error {
	me := os.Getpid()
	err := change(ctx, v, func(y *tally) error {
		if y.Owner != 0 && runs(y.Owner) {
			return fmt.Errorf("process %d came in while %d was inside", me, y.Owner)
		}
		y.Owner, y.Total = me, y.Total+1
		return nil
	})
	if err != nil {
		return err
	}
	return change(ctx, v, func(y *tally) error {
		if y.Owner != me {
			return fmt.Errorf("process %d was inside, and %d came in", me, y.Owner)
		}
		y.Owner = 0
		return nil
	})
}

// inTurns goes in and out by with, until ctx ends.
func inTurns(ctx context.Context, c cast, with func(ctx context.Context, f func() error) error) (n int, err error) {
	for ; ctx.Err() == nil; n++ {
		if err := with(ctx, func() error { return takeOver(ctx, c.Tally) }); err != nil {
			return n, err
		}
	}
	return n, nil
}

// A storm can be longer and larger than it is in every run of the tests:
//
//	go test -run KillStorm -timeout 1h ./shared -storm 60s -players 64
var (
	stormTime = flag.Duration("storm", 3*time.Second, "how long each storm of kills goes on")
	players   = flag.Int("players", 3, "how many processes play in a storm of kills")
)

// storm plays c in processes that are killed at random, and calls check between.
func storm(t *testing.T, c cast, check func() error) {
	t.Helper()
	kills, last, descriptors := 0, 0, 0
	for end := time.Now().Add(*stormTime); time.Now().Before(end); {
		var playing []*process.Handle[int]
		for range *players {
			playing = append(playing, alone(t, c))
		}
		until(t, "they play", func() bool {
			err := change(background, c.Tally, func(y *tally) error {
				if y.Total <= last {
					return errCause
				}
				last = y.Total
				return nil
			})
			return err == nil
		})
		for _, h := range playing {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			if err := check(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-h.Done():
				t.Fatal(h.Err())
			default:
			}
			kill(h)
			kills++
		}
		if descriptors == 0 { // what stays for further processes is there now
			descriptors = allFiles(t)
		}
	}
	settle(t, "no descriptor is left of those who were killed", func() bool { return allFiles(t) <= descriptors })
	t.Logf("%d kills, %d turns", kills, last)
}

func allFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// hog goes in and out by with until the event is set. It counts itself in the tally
// when it has been inside N times.
func hog(ctx context.Context, c cast, with func(ctx context.Context, f func() error) error) (n int, err error) {
	for ; n < c.N || !c.Event.IsSet(); n++ {
		if err := with(ctx, func() error { return nil }); err != nil {
			return n, err
		}
		if n == c.N {
			if err := change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil }); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// nobodyStarves has four play c's hog at once, each until all had their turns.
func nobodyStarves(t *testing.T, casts ...cast) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		tally, over := newTally(t), newEvent(t)
		ctx := soon(t)
		var list []*tandem.Future[int]
		for i := range 4 {
			c := casts[i%len(casts)]
			c.N, c.Tally, c.Event = 200, tally, over
			list = append(list, act.On(place).Go(ctx, c))
		}
		until(t, "all had 200 turns", func() bool { y, _ := tally.Load(background); return y.Total == 4 })
		over.Set()
		t.Log(waitAll(t, list))
	})
}
