//go:build linux

package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// laboring takes so much of its processor's time, whatever the clock says.
var laboring = tandem.NewTask("laboring", func(_ context.Context, in labor) (int, error) {
	end, err := in.begin()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	for last := begun; in.Busy > 0; {
		now := time.Now()
		in.Busy -= min(now.Sub(last), 5*time.Millisecond) // a longer gap is not this task's work
		last = now
	}
	return answerTo(in.Number), end()
})

type labor struct {
	numbered
	Busy time.Duration
}

// TestSuspended: when this process and all its workers have been stopped for longer than
// every limit, all deadlines come due at once. A task that is over soon after has its
// value all the same, as long as its grace time lasts; no task starts twice and no worker is
// lost, none of which had done anything wrong.
func TestSuspended(t *testing.T) {
	const callers, calls, suspensions = 6, 4, 2
	j := &judge{out: t.Output()}
	for _, transport := range []process.Transport{process.Auto, process.Sockets} {
		pool := &process.Pool{Name: transport.String(), Workers: 3, Transport: transport, Limits: tandem.Limits{Time: 300 * time.Millisecond, Grace: patience}}
		l := &load{judge: j, pool: pool, folder: t.TempDir()}
		if err := pool.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		var over atomic.Bool
		var rounds, late atomic.Int64
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for !over.Load() {
					g := newLedger(l, calls)
					for n := range calls {
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						got, err := laboring.On(pool).Call(ctx, labor{g.task(n), time.Duration(10*caller) * time.Millisecond})
						cancel()
						if errors.Is(err, context.DeadlineExceeded) {
							late.Add(1) // it waited in the queue meanwhile, which a deadline includes
						} else if err != nil || got != answerTo(g.first+n) {
							t.Errorf("%v: call %d of caller %d: %d, %v", transport, n, caller, got, err)
						}
						g.outcomes[n] = err
					}
					g.judge(func(int) bool { return false })
					rounds.Add(1)
				}
			})
		}
		for range suspensions {
			stopped, err := suspend(t.Context(), 1200*time.Millisecond)
			if err != nil || stopped < 1+pool.Workers {
				t.Errorf("%d processes were suspended, %v; want this one and %d workers", stopped, err, pool.Workers)
			}
			before := rounds.Load()
			for end := time.Now().Add(patience); rounds.Load() < before+2*callers; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%v: no more rounds are over after a suspension", transport)
				}
			}
		}
		over.Store(true)
		all.Wait()
		st := pool.Stats()
		t.Logf("%v: %d rounds of %d calls; %d calls met their deadline in %d suspensions; %d workers were started",
			transport, rounds.Load(), calls, late.Load(), suspensions, st.Started)
		if most := int64(callers * suspensions); late.Load() > most {
			t.Errorf("%v: %d calls met their deadline, want %d at most: one for each caller and suspension", transport, late.Load(), most)
		}
		if st.Started != uint64(pool.Workers) {
			t.Errorf("%v: %d workers were started, want %d", transport, st.Started, pool.Workers)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, what := range j.verdict() {
		t.Error(what)
	}
}
