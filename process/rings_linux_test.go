package process_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/process"
)

var shout = tandem.NewTask("shout", func(ctx context.Context, s string) (string, error) { return s + "!", nil })

// Payloads of all sizes around what a slot of a ring holds, and a room, come back whole.
func TestRingsCarryAllSizes(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Transport: process.SharedMemory}
	closing(t, pool)
	for _, n := range []int{0, 1, 900, ring.Inline - 100, ring.Inline - 20, ring.Inline, 4096, 16 << 10, ring.Wide - 100, ring.Wide - 20, ring.Wide, 1 << 20} {
		in := strings.Repeat("x", n)
		if got, err := shout.On(pool).Call(context.Background(), in); err != nil || got != in+"!" {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
	}
}

// Small calls stay in the rings from end to end. Under kills each has its own
// answer or a CrashError, and the pool goes on.
func TestRingsUnderKills(t *testing.T) {
	leaveNothing(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	victims := &victims{serving: map[*process.Process]bool{}}
	pool := &process.Pool{Workers: 2, Transport: process.SharedMemory, Progress: func(p process.Progress) { victims.add(p.PID) }}
	closing(t, pool)
	killed := victims.hunt(rand.New(rand.NewPCG(seed, 2)))
	begin := time.Now()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for n := 0; victims.killed.Load() < stormKills && time.Since(begin) < 10*patience; n++ {
				got, err := double.On(pool).Call(context.Background(), n+i)
				if err == nil && got != 2*(n+i) {
					t.Errorf("double of %d is %d, another call's answer", n+i, got)
				}
			}
		})
	}
	all.Wait()
	n := killed()
	t.Logf("%d workers were killed, %+v", n, pool.Stats())
	if got, err := double.On(pool).Call(context.Background(), 21); got != 42 || err != nil {
		t.Errorf("after the storm: %d, %v", got, err)
	}
	if n < stormKills {
		t.Errorf("%d workers were killed in %v, want %d", n, time.Since(begin), stormKills)
	}
}
