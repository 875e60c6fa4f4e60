//go:build linux

package shared_test

import (
	"context"
	"errors"
	"flag"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

var herd = flag.Int("herd", 100, "how many in each process wait in TestOneRepairs")

// TestOneRepairs: of many in many processes, who are all told of a death and all
// repair, one runs its function, once for each death.
func TestOneRepairs(t *testing.T) {
	const processes = 4
	pool := &process.Pool{Workers: processes}
	defer pool.Close()
	for _, how := range []string{"Mutex", "RWMutex, writing"} {
		c := cast{Role: "wait and repair", N: *herd, Has: newSeat(t, how)}
		for death := range int64(3) {
			c.Num = open[*shared.Atomic[int64]](t)(shared.NewAtomic[int64](0))
			c.Slice = open[*shared.Slice[int64]](t)(shared.NewSlice[int64](3))
			c.Ready, c.Event = newEvent(t), newEvent(t)
			victim := alone(t, cast{Role: "hold one, and want another when told", Has: c.Has, Ready: c.Ready, Event: c.Event})
			if err := c.Ready.Wait(soon(t)); err != nil {
				t.Fatal(err)
			}
			var list []*tandem.Future[int]
			for range processes {
				list = append(list, act.On(pool).Go(t.Context(), c))
			}
			until(t, "all are about to wait", func() bool { return c.Num.Load() == int64(processes*c.N) })
			begin := time.Now()
			kill(victim)
			told := 0
			for _, n := range waitAll(t, list) {
				told += n
			}
			c.Slice.View(func(p []int64) error {
				if p[0] != 1 || p[1] != int64(victim.Process.PID()) || p[2] != int64(processes*c.N) {
					t.Errorf("%s, death %d: %d repairs of %d, %d got in; want 1 of %d, and %d", how, death, p[0], p[1], p[2], victim.Process.PID(), processes*c.N)
				}
				return nil
			})
			t.Logf("%s: of %d %d were told, and all have been inside after %v", how, processes*c.N, told, time.Since(begin))
		}
	}
}

// The result is how many were told. The slice counts the repairs, says whose death it
// was, and counts who got in.
var _ = scene("wait and repair", func(ctx context.Context, c cast) (told int, err error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	errs := make([]error, c.N)
	for i := range c.N {
		group.Go(func() {
			c.Num.Add(1)
			for {
				var died *shared.OwnerDiedError
				errs[i] = c.Has.with(ctx, func() error {
					return c.Slice.View(func(p []int64) error { p[2]++; return nil })
				})
				if !errors.As(errs[i], &died) {
					return
				}
				mu.Lock()
				told++
				mu.Unlock()
				if errs[i] = c.Has.repair(ctx, func(died *shared.OwnerDiedError) error {
					return c.Slice.View(func(p []int64) error { p[0]++; p[1] = int64(died.PID); return nil })
				}); errs[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return told, errors.Join(slices.Concat(errs)...)
})

func (s seat) repair(ctx context.Context, f func(*shared.OwnerDiedError) error) error {
	if s.RW != nil {
		return s.RW.Repair(ctx, f)
	}
	return s.Lock.Repair(ctx, f)
}
