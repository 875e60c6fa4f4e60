//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

func newSemaphore(t testing.TB, n int) *shared.Semaphore {
	return open[*shared.Semaphore](t)(shared.NewSemaphore(n))
}

var _ = scene("use a permit", func(ctx context.Context, c cast) (int, error) {
	for range c.N {
		err := c.Sem.With(ctx, func() error {
			if err := c.Tally.Update(ctx, func(y *tally) error {
				y.Now++
				y.Total++
				y.Most = max(y.Most, y.Now)
				return nil
			}); err != nil {
				return err
			}
			return c.Tally.Update(ctx, func(y *tally) error { y.Now--; return nil })
		})
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
})

// TestSemaphore: never more than its number inside, and everybody gets in.
func TestSemaphore(t *testing.T) {
	everywhere(t, 6, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "use a permit", N: 500, Sem: newSemaphore(t, 3), Tally: newTally(t)}
		waitAll(t, all(t.Context(), place, 6, c))
		y, err := c.Tally.Load(background)
		if err != nil || y.Most > 3 || y.Total != 3000 || y.Now != 0 {
			t.Errorf("of 3 permits %d were used at once, %d times; %v", y.Most, y.Total, err)
		}
		allFree(t, c.Sem, 3)
	})
}

// allFree checks that all n permits can be had, and no more.
func allFree(t *testing.T, s *shared.Semaphore, n int) {
	t.Helper()
	for i := range n {
		if err := s.Acquire(soon(t)); err != nil {
			t.Fatalf("permit %d of %d: %v", i+1, n, err)
		}
	}
	if s.TryAcquire() {
		t.Fatalf("there are more than %d permits", n)
	}
	for range n {
		s.Release()
	}
}

func TestSemaphoreShape(t *testing.T) {
	s := newSemaphore(t, 1)
	ended, cancel := cancelled()
	defer cancel()
	if err := s.Acquire(ended); err != nil {
		t.Errorf("Acquire of a free permit looked at its context: %v", err)
	}
	if err := s.Acquire(ended); err != errCause {
		t.Errorf("Acquire with an ended context: %v", err)
	}
	if err := s.Acquire(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("Acquire with a nil context: %v", err)
	}
	s.Release()
	if err := s.With(background, func() error { return errCause }); err != errCause {
		t.Errorf("With = %v", err)
	}
	func() {
		defer func() { recover() }()
		s.With(background, func() error { panic("boom") })
	}()
	allFree(t, s, 1)
	other, err := travel(s)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.Acquire(background)
	if s.TryAcquire() {
		t.Error("what travelled is another semaphore")
	}
	s.Release()
	for _, n := range []int{0, -1, 1 << 31} {
		if _, err := shared.NewSemaphore(n); err == nil {
			t.Errorf("a semaphore of %d permits was made", n)
		}
	}
}

func TestSemaphoreMisuse(t *testing.T) {
	was := newSemaphore(t, 1)
	was.Acquire(background)
	was.Close()
	for name, s := range map[string]*shared.Semaphore{"free": newSemaphore(t, 1), "zero": {}, "closed": was} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "tandem: shared.Semaphore: Release") {
					t.Errorf("Release of a %s semaphore: panic %q", name, v)
				}
			}()
			s.Release()
		}()
		if name == "free" {
			allFree(t, s, 1)
			continue
		}
		if err := s.Acquire(background); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("Acquire of a %s semaphore: %v", name, err)
		}
		if s.TryAcquire() {
			t.Errorf("TryAcquire of a %s semaphore", name)
		}
	}
}

var _ = scene("queue for a permit", func(ctx context.Context, c cast) (int, error) {
	return 0, c.Sem.With(ctx, func() error {
		return c.Tally.Update(ctx, func(y *tally) error { y.Total = 10*y.Total + c.N; return nil })
	})
})

// TestSemaphoreOrder: who came first is served first, and nobody overtakes those
// who wait.
func TestSemaphoreOrder(t *testing.T) {
	everywhere(t, 5, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "queue for a permit", Sem: newSemaphore(t, 1), Tally: newTally(t)}
		c.Sem.Acquire(background)
		var list []*tandem.Future[int]
		for i := range 5 {
			c.N = i + 1
			list = append(list, act.On(place).Go(t.Context(), c))
			until(t, "one more waits", func() bool { return c.Sem.Waiting() == i+1 })
		}
		c.Sem.Release()
		if c.Sem.TryAcquire() {
			c.Sem.Release()
			if y, _ := c.Tally.Load(background); y.Total < 12345 {
				t.Error("TryAcquire overtook those who wait")
			}
		}
		waitAll(t, list)
		if y, err := c.Tally.Load(background); y.Total != 12345 {
			t.Errorf("the order was %d, %v", y.Total, err)
		}
	})
}

var _ = scene("hog the permit", func(ctx context.Context, c cast) (int, error) {
	return hog(ctx, c, c.Sem.With)
})

// TestSemaphoreFair: nobody starves beside others who come back at once.
func TestSemaphoreFair(t *testing.T) {
	c := cast{Role: "hog the permit", Sem: newSemaphore(t, 1)}
	nobodyStarves(t, c)
}

// TestSemaphoreCancel: contexts that end at any moment lose no permit.
func TestSemaphoreCancel(t *testing.T) {
	s := newSemaphore(t, 2)
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 300 {
				ctx, cancel := timeout(time.Duration(rand.IntN(200)) * time.Microsecond)
				if err := s.Acquire(ctx); err == nil {
					time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
					s.Release()
				} else if err != errCause {
					t.Error(err)
				}
				cancel()
			}
		}()
	}
	for range 8 {
		<-done
	}
	allFree(t, s, 2)
	if n := s.Waiting(); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

var _ = scene("keep a permit", func(ctx context.Context, c cast) (int, error) {
	if err := c.Sem.Acquire(ctx); err != nil {
		return 0, err
	}
	c.Ready.Set()
	<-ctx.Done()
	return 0, nil
})

// TestSemaphoreHolderKilled: the permit of a process that was killed is free again,
// for one who waits and for one who comes.
func TestSemaphoreHolderKilled(t *testing.T) {
	c := cast{Role: "keep a permit", Sem: newSemaphore(t, 1), Ready: newEvent(t)}
	for _, waits := range []bool{true, false} {
		c.Ready.Clear()
		h := alone(t, c)
		if err := c.Ready.Wait(soon(t)); err != nil {
			t.Fatal(err)
		}
		got := make(chan error, 1)
		acquire := func() { got <- c.Sem.Acquire(soon(t)) }
		if waits {
			go acquire()
			until(t, "one waits", func() bool { return c.Sem.Waiting() == 1 })
		}
		kill(h)
		if !waits && !c.Sem.TryAcquire() {
			t.Error("the permit of a process that ended is not free")
		} else if waits {
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		c.Sem.Release()
	}
}

// TestSemaphoreClosedWhileHeld: what a process had is free with its last handle.
func TestSemaphoreClosedWhileHeld(t *testing.T) {
	c := cast{Role: "keep a permit", Sem: newSemaphore(t, 2), Ready: newEvent(t)}
	alone(t, c)
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	c.Sem.Acquire(background)
	c.Ready.Clear()
	second := alone(t, c) // waits
	until(t, "one waits", func() bool { return c.Sem.Waiting() == 1 })
	c.Sem.Close()
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Errorf("another process got no permit after the handle of one was closed: %v", err)
	}
	kill(second)
}

var _ = scene("storm the semaphore", func(ctx context.Context, c cast) (int, error) {
	return inTurns(ctx, c, c.Sem.With)
})

// TestKillStormSemaphore kills processes that acquire and release, at any moment:
// no permit is lost and none is made.
func TestKillStormSemaphore(t *testing.T) {
	c := cast{Role: "storm the semaphore", Sem: newSemaphore(t, 1), Tally: newTally(t)}
	storm(t, c, func() error {
		return c.Sem.With(soon(t), func() error { return takeOver(background, c.Tally) })
	})
	allFree(t, c.Sem, 1)
}

func ExampleSemaphore() {
	licences, err := shared.NewSemaphore(2)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer licences.Close()
	err = licences.With(context.Background(), func() error { // in any process that was given it
		fmt.Println("one of two", licences.TryAcquire(), licences.TryAcquire())
		licences.Release()
		return nil
	})
	fmt.Println(err)
	// Output:
	// one of two true false
	// <nil>
}

func BenchmarkSemaphore(b *testing.B) {
	s := newSemaphore(b, 1)
	b.Run("shared", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Acquire(background)
			s.Release()
		}
	})
	room := make(chan struct{}, 1)
	b.Run("channel", func(b *testing.B) {
		for b.Loop() {
			room <- struct{}{}
			<-room
		}
	})
}
