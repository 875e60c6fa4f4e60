package process_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// numbered is the argument of a task that notes its number and answers with what
// only it can answer.
type numbered struct {
	Number int
	Starts *os.File
}

func answerTo(number int) int { return 3*number + 1 }

func doNumbered(ctx context.Context, in numbered) (int, error) {
	return answerTo(in.Number), noteStart(in.Starts, in.Number)
}

var (
	numberedOnce  = tandem.NewTask("numbered once", doNumbered)
	numberedAgain = tandem.NewTask("numbered again", doNumbered).Idempotent()
)

// Thousands of calls from many goroutines, while somebody kills the workers, one
// every few milliseconds. Each call settles once, with its own answer or with a
// CrashError, and a task that is not idempotent never starts twice.
func TestStormOfKills(t *testing.T) {
	for _, c := range []struct {
		name             string
		workers, threads int
		calls            int
		transport        process.Transport
	}{
		{"processes", 4, 0, stormCalls, process.Sockets},
		{"processes with threads", 2, 4, stormCalls / 4, process.Sockets},
		{"rings", 4, 0, stormCalls / 4, process.Auto}, // each call has a descriptor: ring and socket
	} {
		t.Run(c.name, func(t *testing.T) {
			storm(t, &process.Pool{Workers: c.workers, Threads: c.threads, Transport: c.transport}, c.calls)
		})
	}
}

// callers is how many goroutines call.
const callers = 16

func storm(t *testing.T, pool *process.Pool, calls int) {
	leaveNothing(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newStarts(t)
	var told atomic.Int64
	victims := &victims{serving: map[*process.Process]bool{}}
	pool.Progress = func(p process.Progress) {
		told.Add(1)
		victims.add(p.PID)
	}
	closing(t, pool)

	killed := victims.hunt(rand.New(rand.NewPCG(seed, 1)))
	outcomes := make([]error, calls)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for number := i; number < calls; number += callers {
				outcomes[number] = callNumbered(t, pool, number, s.file)
			}
		})
	}
	all.Wait()
	t.Logf("%d workers were killed, %d calls crashed", killed(), pool.Stats().Crashed)
	if pool.Stats().Crashed == 0 {
		t.Error("no call met a kill: nothing was tested")
	}
	if st := pool.Stats(); told.Load() != int64(calls) || st.Done+st.Failed != uint64(calls) || st.Running+st.Queued != 0 {
		t.Errorf("%d calls: told of %d, %+v; each must settle once", calls, told.Load(), st)
	}
	judgeStarts(t, s, outcomes)
	recovers(t, pool, pool.Workers, s.file)
}

// callNumbered makes one call, of the idempotent task for every second number, by
// a future for every third. A wrong answer is reported, an error is returned.
func callNumbered(t *testing.T, pool *process.Pool, number int, file *os.File) error {
	task := numberedOnce
	if number%2 == 1 {
		task = numberedAgain
	}
	in := numbered{number, file}
	var got int
	var err error
	if number%3 == 0 {
		f := task.On(pool).Go(context.Background(), in)
		got, err = f.Wait(context.Background())
		if again, same := f.Wait(context.Background()); again != got || same != err {
			t.Errorf("call %d settled twice: %d, %v and %d, %v", number, got, err, again, same)
		}
	} else {
		got, err = task.On(pool).Call(context.Background(), in)
	}
	crash, crashed := errors.AsType[*tandem.CrashError](err)
	switch {
	case err == nil && got != answerTo(number):
		t.Errorf("call %d got %d, another call's answer", number, got)
	case err != nil && !crashed:
		t.Errorf("call %d: %v; want an answer or a CrashError", number, err)
	case crashed && (crash.Signal != "killed" || crash.PID == 0):
		t.Errorf("call %d: %+v; want signal killed and a pid", number, crash)
	}
	return err
}

// judgeStarts holds the noted starts against the outcomes.
func judgeStarts(t *testing.T, s *starts, outcomes []error) {
	t.Helper()
	n := make([]int, len(outcomes))
	for _, one := range s.all() {
		n[one.number]++
	}
	for number, err := range outcomes {
		least, most := 0, 1
		if err == nil {
			least = 1
		}
		if number%2 == 1 {
			most = 3 // idempotent: what it is tried before its deaths are put down to it
		}
		if n[number] < least || n[number] > most {
			t.Errorf("call %d (%v) started %d times, want %d to %d", number, err, n[number], least, most)
		}
	}
}

// recovers: with the killing over, every call succeeds, and the pool has all its
// workers again.
func recovers(t *testing.T, pool *process.Pool, workers int, file *os.File) {
	t.Helper()
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pool has all its workers again", func() bool { return pool.Stats().Workers == workers })
	for number := range 200 {
		if _, err := numberedOnce.On(pool).Call(t.Context(), numbered{number, file}); err != nil {
			t.Fatalf("call %d after the storm: %v", number, err)
		}
	}
	eventually(t, "the dead are counted", func() bool {
		st := pool.Stats()
		return st.Workers == workers && st.Started-st.Ended == uint64(workers)
	})
}
