//go:build linux

package shared_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tandem-go/tandem"
)

// givenToNobody has one wait who gives up at the very moment at which release gives
// him what he waits for.
func givenToNobody(t *testing.T, waiting func() int, wait func(ctx context.Context) error, release func(meanwhile func())) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(background)
	got := make(chan error, 1)
	before := waiting()
	go func() { got <- wait(ctx) }()
	until(t, "one more waits", func() bool { return waiting() == before+1 })
	release(func() {
		cancel(errCause)
		if err := <-got; err != errCause {
			t.Errorf("who gave up: %v", err)
		}
	})
}

// TestGivenToNobody: what was given to one who has given up is there for others.
func TestGivenToNobody(t *testing.T) {
	t.Run("Semaphore", func(t *testing.T) {
		s := newSemaphore(t, 1)
		s.Acquire(background)
		givenToNobody(t, s.Waiting, s.Acquire, s.ReleaseWhile)
		until(t, "the permit is free", s.TryAcquire)
		s.Release()
		allFree(t, s, 1)
	})
	t.Run("RWMutex", func(t *testing.T) {
		m := newRWMutex(t)
		m.Lock(background)
		givenToNobody(t, m.Waiting, m.Lock, m.UnlockWhile)
		until(t, "the lock is free", m.TryLock)
		givenToNobody(t, m.Waiting, m.RLock, m.UnlockWhile)
		until(t, "the lock is free", m.TryLock)
	})
	t.Run("Cond", func(t *testing.T) {
		c := newCond(t)
		c.Role, c.N = "take from stock", 1
		var h interface {
			Wait(context.Context) (int, error)
		}
		givenToNobody(t, c.Cond.Waiting, func(ctx context.Context) error {
			return c.Cond.When(ctx, func() bool { return false }, nil)
		}, func(meanwhile func()) {
			h = alone(t, c) // waits behind the one who gives up
			until(t, "two wait", func() bool { return c.Cond.Waiting() == 2 })
			c.Lock.With(soon(t), func() error { stock(c, 1); return nil })
			c.Cond.SignalWhile(meanwhile)
		})
		if _, err := h.Wait(soon(t)); err != nil {
			t.Error(err)
		}
	})
}

// TestTurns: processes take turns, however many wait in one of them.
func TestTurns(t *testing.T) {
	c := cast{Role: "queue for a permit", Sem: newSemaphore(t, 1), Tally: newTally(t)}
	c.Sem.Acquire(background)
	done := make(chan error)
	for i := range 3 {
		c := c
		c.N = i + 1
		go func() {
			_, err := scenes[c.Role](soon(t), c)
			done <- err
		}()
		until(t, "one more waits", func() bool { return c.Sem.Waiting() == i+1 })
	}
	c.N = 4
	h := alone(t, c)
	until(t, "four wait", func() bool { return c.Sem.Waiting() == 4 })
	c.Sem.Release()
	_, err := h.Wait(soon(t))
	for range 3 {
		if e := <-done; e != nil {
			err = e
		}
	}
	if y, _ := c.Tally.Load(background); err != nil || y.Total != 1423 {
		t.Errorf("1, 2 and 3 of this process and 4 of another went as %d, %v", y.Total, err)
	}
}

// TestBarrierFull: who comes when all have come belongs to the next meeting.
func TestBarrierFull(t *testing.T) {
	everywhere(t, 3, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "wait at the barrier", Meet: newBarrier(t, 2)}
		list := all(t.Context(), place, 1, c)
		until(t, "one waits", func() bool { return c.Meet.Waiting() == 1 })
		var late []*tandem.Future[int]
		i, err := c.Meet.WaitWith(soon(t), func() error {
			late = all(t.Context(), place, 1, c)
			until(t, "one more waits", func() bool { return c.Meet.Waiting() == 2 })
			return nil
		})
		if err != nil || i != 1 {
			t.Errorf("the last: %d, %v", i, err)
		}
		waitAll(t, list)
		results := waitAll(t, append(late, all(t.Context(), place, 1, c)...))
		slices.Sort(results)
		if !slices.Equal(results, []int{0, 1}) {
			t.Errorf("the next meeting had %v", results)
		}
	})
}

// TestSignalOfTheDead: all signals that were on their way to one who was killed go to the
// next.
func TestSignalOfTheDead(t *testing.T) {
	c := everything(t)
	c.Role, c.Script = "follow the script", []string{"two wait in line"}
	h := alone(t, c)
	until(t, "two wait there", func() bool { return c.Cond.Waiting() == 2 })
	here, got := c, make(chan error)
	here.Script = []string{"lock", "wait", "unlock"}
	for i := range 3 {
		go func() {
			_, err := scenes[c.Role](soon(t), here)
			got <- err
		}()
		until(t, "one more waits", func() bool { return c.Cond.Waiting() == 3+i })
	}
	c.Lock.Lock(soon(t)) // so that none arrives
	c.Cond.Signal()
	c.Cond.Signal() // here: processes take turns
	c.Cond.SignalWhile(func() { kill(h) })
	c.Lock.Unlock()
	for range 3 {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
}
