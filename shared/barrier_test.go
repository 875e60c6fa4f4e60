//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

func newBarrier(t testing.TB, n int) *shared.Barrier {
	return open[*shared.Barrier](t)(shared.NewBarrier(n))
}

// The parties count, and look after each meeting whether all have.
var _ = scene("meet", func(ctx context.Context, c cast) (sum int, err error) {
	for round := range c.N {
		if err := change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil }); err != nil {
			return 0, err
		}
		i, err := c.Meet.WaitWith(ctx, func() error {
			return change(ctx, c.Tally, func(y *tally) error { y.Now++; return nil })
		})
		if err != nil {
			return 0, err
		}
		sum += i
		y, err := c.Tally.Load(ctx)
		if err != nil {
			return 0, err
		}
		if y.Total < 4*(round+1) || y.Total > 4*(round+2) || y.Now != round+1 && y.Now != round+2 {
			return 0, fmt.Errorf("after meeting %d: %d came, %d actions", round, y.Total, y.Now)
		}
	}
	return sum, nil
})

// TestBarrier: nobody passes before all came, the indices are all different, and the
// action runs once each time.
func TestBarrier(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "meet", N: 100, Meet: newBarrier(t, 4), Tally: newTally(t)}
		sum := 0
		for _, n := range waitAll(t, all(t.Context(), place, 4, c)) {
			sum += n
		}
		if want := 100 * (0 + 1 + 2 + 3); sum != want {
			t.Errorf("the sum of all indices is %d, want %d", sum, want)
		}
	})
}

var _ = scene("wait at the barrier", func(ctx context.Context, c cast) (int, error) {
	return c.Meet.Wait(ctx)
})

// TestBarrierMany: more parties than a meeting has come in any order, and all
// meetings are complete.
func TestBarrierMany(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		b := newBarrier(t, 2)
		list := all(t.Context(), place, 40, cast{Role: "wait at the barrier", Meet: b})
		results := waitAll(t, list)
		slices.Sort(results)
		if results[0] != 0 || results[19] != 0 || results[20] != 1 || results[39] != 1 {
			t.Errorf("indices %v", results)
		}
	})
}

// TestBarrierBreaks: each way to break it reaches all who wait and all who come, and
// Reset makes it whole.
func TestBarrierBreaks(t *testing.T) {
	everywhere(t, 3, func(t *testing.T, place tandem.Runner) {
		b := newBarrier(t, 3)
		for name, f := range map[string]func(){
			"abort": func() { b.Abort() },
			"context": func() {
				ctx, cancel := timeout(time.Millisecond)
				defer cancel()
				if _, err := b.Wait(ctx); err != errCause {
					t.Errorf("Wait whose context ended: %v", err)
				}
			},
			"action": func() {
				if _, err := b.WaitWith(background, func() error { return errCause }); err != errCause {
					t.Errorf("an action's error: %v", err)
				}
			},
			"panic": func() {
				defer func() { recover() }()
				b.WaitWith(background, func() error { panic("boom") })
			},
		} {
			n := 2
			if name == "context" {
				n = 1 // with two others it would be the last
			}
			list := all(t.Context(), place, n, cast{Role: "wait at the barrier", Meet: b})
			until(t, "they wait", func() bool { return b.Waiting() == n })
			f()
			for _, fut := range list {
				if _, err := fut.Wait(soon(t)); !errors.Is(err, shared.ErrBrokenBarrier) {
					t.Errorf("%s: who waits gets %v", name, err)
				}
			}
			if _, err := b.Wait(soon(t)); err != shared.ErrBrokenBarrier || !b.Broken() {
				t.Errorf("%s: who comes gets %v, broken %v", name, err, b.Broken())
			}
			if err := b.Reset(); err != nil || b.Broken() {
				t.Errorf("%s: Reset: %v", name, err)
			}
			waitAll(t, all(t.Context(), place, 3, cast{Role: "wait at the barrier", Meet: b}))
		}
		list := all(t.Context(), place, 2, cast{Role: "wait at the barrier", Meet: b})
		until(t, "two wait", func() bool { return b.Waiting() == 2 })
		b.Reset()
		for _, fut := range list {
			if _, err := fut.Wait(soon(t)); !errors.Is(err, shared.ErrBrokenBarrier) {
				t.Errorf("Reset: who waits gets %v", err)
			}
		}
		waitAll(t, all(t.Context(), place, 3, cast{Role: "wait at the barrier", Meet: b}))
	})
}

// TestBarrierKilled: who is killed waiting breaks it for the others.
func TestBarrierKilled(t *testing.T) {
	b := newBarrier(t, 3)
	h := alone(t, cast{Role: "wait at the barrier", Meet: b})
	until(t, "one waits", func() bool { return b.Waiting() == 1 })
	got := make(chan error)
	go func() { _, err := b.Wait(soon(t)); got <- err }()
	until(t, "two wait", func() bool { return b.Waiting() == 2 })
	kill(h)
	if err := <-got; err != shared.ErrBrokenBarrier {
		t.Errorf("who waited with one who died: %v", err)
	}
}

func TestBarrierShape(t *testing.T) {
	for _, n := range []int{0, -1, 1<<20 + 1} {
		if _, err := shared.NewBarrier(n); err == nil {
			t.Errorf("a barrier of %d parties was made", n)
		}
	}
	one := newBarrier(t, 1)
	for range 3 {
		if i, err := one.Wait(nil); i != 0 || err != nil {
			t.Errorf("the only party: %d, %v", i, err)
		}
	}
	b := newBarrier(t, 2)
	if _, err := b.Wait(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("Wait with a nil context: %v", err)
	}
	b.Reset()
	got := make(chan error)
	go func() { _, err := b.Wait(background); got <- err }()
	until(t, "one waits", func() bool { return b.Waiting() == 1 })
	b.Close()
	if err := <-got; !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("waiting at close: %v", err)
	}
	if _, err := b.Wait(background); !errors.Is(err, tandem.ErrClosed) || !b.Broken() {
		t.Errorf("Wait of a closed barrier: %v", err)
	}
}

var _ = scene("meet for ever", func(ctx context.Context, c cast) (n int, err error) {
	for ; ; n++ {
		_, err := c.Meet.Wait(ctx)
		if err == nil {
			err = change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil })
		}
		if errors.Is(err, shared.ErrBrokenBarrier) {
			err = nil
			if c.Meet.Broken() { // and nobody has made it whole
				err = c.Meet.Reset()
			}
			err = errors.Join(err, change(ctx, c.Tally, func(y *tally) error { y.Most++; return nil }))
		}
		if err != nil {
			return n, err
		}
	}
})

// TestKillStormBarrier: whenever a party is killed, the others pass or learn of it.
func TestKillStormBarrier(t *testing.T) {
	parties := max(2, *players/8)
	c := cast{Role: "meet for ever", Meet: newBarrier(t, parties), Tally: newTally(t)}
	passed, broke := 0, 0
	meet := func() error {
		ctx, cancel := timeout(300 * time.Millisecond) // killed outside of Wait: nobody tells
		defer cancel()
		_, err := c.Meet.Wait(ctx)
		switch err {
		case nil:
			passed++
		case shared.ErrBrokenBarrier, errCause:
			broke++
			err = c.Meet.Reset()
		}
		return err
	}
	for range 10 { // it is rare that one is killed while it waits
		storm(t, c, meet)
		if y, err := c.Tally.Load(background); err == nil {
			broke += y.Most // the parties learned of it
		}
		if passed > 0 && broke > 0 {
			break
		}
	}
	if passed == 0 || broke == 0 {
		t.Errorf("%d meetings, %d broken: the test has tried nothing", passed, broke)
	}
	t.Logf("%d meetings, %d broken", passed, broke)
	if err := c.Meet.Reset(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range parties {
		go func() { _, err := c.Meet.Wait(soon(t)); done <- err }()
	}
	for range parties {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func ExampleBarrier() {
	b, err := shared.NewBarrier(2)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	go b.Wait(context.Background()) // or another process that was given b
	_, err = b.WaitWith(context.Background(), func() error { return nil })
	fmt.Println(err, b.Broken())
	// Output: <nil> false
}
