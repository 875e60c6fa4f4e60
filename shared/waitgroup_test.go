//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

func newGroup(t testing.TB) *shared.WaitGroup {
	return open[*shared.WaitGroup](t)(shared.NewWaitGroup())
}

var _ = scene("be done", func(ctx context.Context, c cast) (int, error) {
	err := change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil })
	return 0, errors.Join(err, c.Group.Done())
})

var _ = scene("wait for the group", func(ctx context.Context, c cast) (int, error) {
	if err := c.Group.Wait(ctx); err != nil {
		return 0, err
	}
	y, err := c.Tally.Load(ctx)
	return y.Total, err
})

// TestWaitGroup: who waits sees everything done, wherever it was done.
func TestWaitGroup(t *testing.T) {
	everywhere(t, 6, func(t *testing.T, place tandem.Runner) {
		c := cast{Group: newGroup(t), Tally: newTally(t)}
		for round := range 20 {
			c.Group.Add(4)
			c.Role = "wait for the group"
			waiters := all(t.Context(), place, 2, c)
			if round%2 == 0 {
				until(t, "two wait", func() bool { return c.Group.Waiting() == 2 })
			}
			c.Role = "be done"
			workers := all(t.Context(), place, 4, c)
			if err := c.Group.Wait(soon(t)); err != nil {
				t.Fatal(err)
			}
			for _, seen := range append(waitAll(t, waiters), 4*(round+1)) {
				if seen != 4*(round+1) {
					t.Errorf("round %d: Wait returned after %d of %d", round, seen, 4*(round+1))
				}
			}
			waitAll(t, workers)
		}
	})
}

// TestWaitGroupReuse: an Add that follows at once takes nothing from those who wait.
func TestWaitGroupReuse(t *testing.T) {
	g := newGroup(t)
	got := make(chan error)
	for range 50 {
		g.Add(1)
		go func() { got <- g.Wait(soon(t)) }()
		until(t, "one waits", func() bool { return g.Waiting() == 1 })
		g.Done()
		g.Add(1)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		g.Done()
	}
}

func TestWaitGroupMisuse(t *testing.T) {
	g := newGroup(t)
	was := newGroup(t)
	was.Close()
	if err := g.Add(1<<31 - 1); err != nil {
		t.Error(err)
	}
	if err := g.Add(1); err == nil {
		t.Error("the number overflowed")
	}
	if err := errors.Join(g.Add(-(1<<31 - 1)), g.Add(0)); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{"negative": g.Done(), "too large": g.Add(1 << 31), "too small": g.Add(-1 << 40)} {
		if err == nil || !strings.Contains(err.Error(), "tandem: shared.WaitGroup: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, g := range []*shared.WaitGroup{was, {}} {
		if err := errors.Join(g.Done(), g.Wait(background)); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("of a closed group: %v", err)
		}
	}
	ended, cancel := cancelled()
	defer cancel()
	if err := g.Wait(ended); err != nil {
		t.Errorf("Wait for nothing looked at its context: %v", err)
	}
	g.Add(1)
	if err := g.Wait(ended); err != errCause {
		t.Errorf("Wait with an ended context: %v", err)
	}
	got := make(chan error)
	go func() { got <- g.Wait(background) }()
	until(t, "one waits", func() bool { return g.Waiting() == 1 })
	g.Close()
	if err := <-got; !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("waiting at close: %v", err)
	}
}

// TestWaitGroupKilled: a death leaves the number to who learns of it.
func TestWaitGroupKilled(t *testing.T) {
	c := cast{Role: "keep a permit", Sem: newSemaphore(t, 1), Ready: newEvent(t), Group: newGroup(t)}
	c.Group.Add(1)
	h := alone(t, c)
	got := make(chan error)
	go func() { got <- c.Group.Wait(soon(t)) }()
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	kill(h)
	if h.Err() == nil {
		t.Error("nobody learned of the death")
	}
	c.Group.Done()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func ExampleWaitGroup() {
	g, err := shared.NewWaitGroup()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()
	g.Add(2)
	for range 2 {
		go g.Done() // or in other processes that were given g
	}
	fmt.Println(g.Wait(context.Background()))
	// Output: <nil>
}
