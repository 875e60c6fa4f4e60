//go:build linux

package shared_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

// inTurn goes in and out by with until it is over, works inside, and comes back at
// once. It returns the longest wait of its own, in turns that others had meanwhile.
// The numbers are one for the turns, and one for those who have begun.
func inTurn(ctx context.Context, c cast, with func(ctx context.Context, f func() error) error) (longest int, err error) {
	err = c.Slice.View(func(p []int64) error {
		atomic.AddInt64(&p[1], 1)
		for !c.Event.IsSet() {
			before := atomic.LoadInt64(&p[0])
			err := with(ctx, func() error {
				longest = max(longest, int(atomic.AddInt64(&p[0], 1)-1-before))
				toil(make([]int64, ledgerSize), 20)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return longest, err
}

var (
	_ = scene("the mutex in turn", func(ctx context.Context, c cast) (int, error) { return inTurn(ctx, c, c.Lock.With) })
	_ = scene("the semaphore in turn", func(ctx context.Context, c cast) (int, error) { return inTurn(ctx, c, c.Sem.With) })
	_ = scene("writing in turn", func(ctx context.Context, c cast) (int, error) { return inTurn(ctx, c, c.RW.With) })
)

// TestLongestWait: whoever waits beside others who come back at once gets in before
// these have had many turns. The bound is in turns, of a fiftieth of a millisecond: a
// Mutex is handed over when somebody has waited for one, and a busy machine may let
// him wait longer for a processor than for the lock.
func TestLongestWait(t *testing.T) {
	const turns, bound = 20000, 15000
	for _, role := range []string{"the mutex in turn", "the semaphore in turn", "writing in turn"} {
		t.Run(role, func(t *testing.T) {
			everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
				c := cast{
					Role: role, Event: newEvent(t), Sem: newSemaphore(t, 1), RW: newRWMutex(t),
					Lock:  open[*shared.Mutex](t)(shared.NewMutex()),
					Slice: open[*shared.Slice[int64]](t)(shared.NewSlice[int64](2)),
				}
				list := all(t.Context(), place, 4, c)
				p, err := c.Slice.Slice()
				if err != nil {
					t.Fatal(err)
				}
				defer c.Slice.Unpin()
				until(t, "all have begun", func() bool { return atomic.LoadInt64(&p[1]) == 4 })
				began, first := time.Now(), atomic.LoadInt64(&p[0])
				until(t, "all turns", func() bool { return atomic.LoadInt64(&p[0]) > first+turns })
				t.Logf("%d turns in %v", turns, time.Since(began))
				c.Event.Set()
				longest := waitAll(t, list)
				t.Logf("the longest waits, in turns of others: %d", longest)
				for _, n := range longest {
					if n > bound {
						t.Errorf("somebody waited while others had %d turns, want at most %d", n, bound)
					}
				}
			})
		})
	}
}

var _ = scene("come in once", func(ctx context.Context, c cast) (int, error) {
	return 0, c.Lock.With(ctx, func() error { return c.Tally.Update(ctx, func(y *tally) error { y.Total++; return nil }) })
})

// TestNotOvertaken: beside one who has waited for a millisecond nobody gets the lock,
// however often he tries, and the other wakes up as slowly as he may.
func TestNotOvertaken(t *testing.T) {
	everywhere(t, 1, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "come in once", Lock: open[*shared.Mutex](t)(shared.NewMutex()), Tally: newTally(t)}
		for i := range 20 {
			c.Lock.Lock(background)
			list := all(t.Context(), place, 1, c)
			until(t, "he claims the lock", c.Lock.Claimed)
			c.Lock.Unlock()
			c.Lock.Lock(soon(t))
			if y, _ := c.Tally.Load(background); y.Total != i+1 {
				t.Errorf("in round %d the one who waited came in %d times before another", i, y.Total)
			}
			c.Lock.Unlock()
			waitAll(t, list)
		}
	})
}
