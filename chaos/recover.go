//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem/process"
)

// recovered: a pool that is no longer disturbed is about as fast as one that never
// was. Both are measured in turns, best against best, since the machine may have
// other work.
func (j *judge) recovered(pool, fresh *process.Pool) {
	j.whole(pool) // the number of workers makes a difference too
	j.whole(fresh)
	var own, other float64
	for range 5 {
		other = max(other, j.speed(fresh))
		own = max(own, j.speed(pool))
	}
	fmt.Fprintf(j.out, "calls per second: %.0f, of a fresh pool %.0f\n", own, other)
	if own < 0.4*other {
		j.violated("the throughput has not recovered: %.0f calls per second, of a fresh pool %.0f", own, other)
	}
	if err := fresh.Close(); err != nil {
		j.violated("Close of %s: %v", fresh.Name, err)
	}
}

// speed is how many calls per second a pool serves with nothing else going on. A
// hundred milliseconds of them: in ten it is chance how many workers the callers share.
func (j *judge) speed(pool *process.Pool) float64 {
	const callers = 4
	calls := 20_000
	if raceBuild {
		calls = 2000
	}
	begin := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := range calls {
				if got, err := double.On(pool).Call(context.Background(), n); err != nil || got != 2*n {
					j.violated("the double of %d without disturbance: %d, %v", n, got, err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(callers*calls) / time.Since(begin).Seconds()
}

// whole: a pool that is no longer disturbed has all its workers, and nobody waits.
func (j *judge) whole(pool *process.Pool) {
	if err := pool.Start(context.Background()); err != nil {
		j.violated("%s does not start again: %v", pool.Name, err)
	}
	var st process.Stats
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		st = pool.Stats()
		if st.Workers == pool.Workers && st.Running+st.Queued == 0 && st.Started-st.Ended == uint64(pool.Workers) {
			return
		}
	}
	j.violated("%s is not whole: %+v", pool.Name, st)
}
