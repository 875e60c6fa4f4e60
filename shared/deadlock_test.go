//go:build linux

package shared_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// watched starts processes that look for deadlocks.
func watched(t *testing.T) { t.Setenv("TANDEMDEBUG", "locks") }

var (
	// Takes the lock, waits until all have one, and wants the condition's.
	_ = scene("hold one, want another", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.With(ctx, func() error {
			if _, err := c.Meet.Wait(ctx); err != nil {
				return err
			}
			return c.Want.With(ctx, func() error { return nil })
		})
	})
)

// TestDeadlock: of those who wait in a circle one is told, and then the others go on.
func TestDeadlock(t *testing.T) {
	watched(t)
	for _, n := range []int{1, 2, 3, 5} {
		ctx := soon(t)
		meet := newBarrier(t, n)
		locks := make([]*shared.Mutex, n)
		for i := range locks {
			locks[i] = open[*shared.Mutex](t)(shared.NewMutex())
		}
		var all []*process.Handle[int]
		for i := range n {
			all = append(all, alone(t, cast{Role: "hold one, want another", Meet: meet, Lock: locks[i], Want: locks[(i+1)%n]}))
		}
		told := 0
		for i, h := range all {
			_, err := h.Wait(ctx)
			var dead *shared.DeadlockError
			switch {
			case errors.As(err, &dead):
				told++
				holder := all[(i+1)%n].Process.PID()
				if dead.PID != h.Process.PID() || dead.HolderPID != holder {
					t.Errorf("of %d: process %d names %d and %d, want %d for the holder", n, h.Process.PID(), dead.PID, dead.HolderPID, holder)
				}
				for _, at := range []string{dead.At, dead.HolderAt} {
					if !strings.Contains(at, "deadlock_test.go:") {
						t.Errorf("of %d: the line is %q", n, at)
					}
				}
			case err != nil:
				t.Error(err)
			}
		}
		if told != 1 {
			t.Errorf("of %d in a circle %d were told", n, told)
		}
	}
}
