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
	// Does the same, while another goroutine of the process waits for the wanted one
	// already, and sleeps for both.
	_ = scene("want it as the second", func(ctx context.Context, c cast) (int, error) {
		first := make(chan error, 1)
		go func() { first <- c.Want.With(ctx, func() error { return nil }) }()
		err := c.Lock.With(ctx, func() error {
			c.Ready.Set()
			if err := c.Event.Wait(ctx); err != nil {
				return err
			}
			return c.Want.With(ctx, func() error { return nil })
		})
		return 0, errors.Join(err, <-first)
	})
	_ = scene("hold one until told", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Lock.With(ctx, func() error {
			c.Ready.Set()
			if err := c.Event.Wait(ctx); err != nil {
				return err
			}
			return c.Want.With(ctx, func() error { return nil })
		})
	})
	// One goroutine holds a lock until told, another holds a second and wants a third.
	_ = scene("hold one, and want another elsewhere", func(ctx context.Context, c cast) (int, error) {
		other := make(chan error, 1)
		go func() {
			other <- c.Second.With(ctx, func() error {
				return c.Want.With(ctx, func() error { return nil })
			})
		}()
		err := c.Lock.With(ctx, func() error { return c.Event.Wait(ctx) })
		return 0, errors.Join(err, <-other)
	})
)

// TestDeadlock: of those who wait in a circle one is told, and then the others go on.
func TestDeadlock(t *testing.T) {
	watched(t)
	for _, n := range []int{1, 2, 4} {
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

// TestDeadlockInQueue: who waits behind another goroutine of his process is a part of
// the circle too.
func TestDeadlockInQueue(t *testing.T) {
	watched(t)
	ctx := soon(t)
	a, b := open[*shared.Mutex](t)(shared.NewMutex()), open[*shared.Mutex](t)(shared.NewMutex())
	ready, second, event := newEvent(t), newEvent(t), newEvent(t)
	one := alone(t, cast{Role: "hold one until told", Lock: a, Want: b, Ready: ready, Event: event})
	if err := ready.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	two := alone(t, cast{Role: "want it as the second", Lock: b, Want: a, Ready: second, Event: event})
	if err := second.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	until(t, "somebody sleeps", a.Sleeps)
	event.Set()
	_, err1 := one.Wait(ctx)
	_, err2 := two.Wait(ctx)
	var dead *shared.DeadlockError
	if errors.As(err1, &dead) == errors.As(err2, &dead) {
		t.Errorf("the two got %v and %v, want a deadlock for one", err1, err2)
	}
}

// TestNoDeadlock: processes that wait in a circle are none, if the goroutines do not.
func TestNoDeadlock(t *testing.T) {
	watched(t)
	ctx := soon(t)
	var locks [3]*shared.Mutex
	for i := range locks {
		locks[i] = open[*shared.Mutex](t)(shared.NewMutex())
	}
	a, b, c := locks[0], locks[1], locks[2]
	ready, now, event := newEvent(t), newEvent(t), newEvent(t)
	one := alone(t, cast{Role: "hold one until told", Lock: b, Want: a, Ready: ready, Event: now})
	if err := ready.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	two := alone(t, cast{Role: "hold one, and want another elsewhere", Lock: a, Second: c, Want: b, Event: event})
	until(t, "both goroutines hold theirs", func() bool { return a.Held() && c.Held() })
	now.Set()
	until(t, "both processes have looked, and one has seen the other", func() bool {
		return b.Label() != 0 && c.Label() >= b.Label()
	})
	event.Set()
	for _, h := range []*process.Handle[int]{one, two} {
		if _, err := h.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
	for _, m := range locks {
		if m.Label() != 0 || m.Held() {
			t.Error("something is left beside a lock")
		}
	}
}
