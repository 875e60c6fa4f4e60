//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

var _ = scene("wait for the event", func(ctx context.Context, c cast) (int, error) {
	return 0, c.Event.Wait(ctx)
})

func TestEvent(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		e := newEvent(t)
		for range 20 {
			waiters := all(t.Context(), place, 4, cast{Role: "wait for the event", Event: e})
			until(t, "four wait", func() bool { return e.Waiting() == 4 })
			// A Clear that follows at once takes nothing from those who wait.
			if err := errors.Join(e.Set(), e.Clear()); err != nil {
				t.Fatal(err)
			}
			waitAll(t, waiters)
			if e.IsSet() {
				t.Error("the event is set after Clear")
			}
		}
		e.Set()
		e.Set()
		if !e.IsSet() {
			t.Error("the event is not set after two Sets")
		}
		waitAll(t, all(t.Context(), place, 4, cast{Role: "wait for the event", Event: e}))
	})
}

func TestEventContext(t *testing.T) {
	e := newEvent(t)
	ended, cancel := cancelled()
	defer cancel()
	if err := e.Wait(ended); err != errCause {
		t.Errorf("Wait with an ended context: %v", err)
	}
	if err := e.Wait(nil); err == nil {
		t.Error("Wait took a nil context")
	}
	ctx, end := context.WithCancelCause(background)
	got := make(chan error)
	go func() { got <- e.Wait(ctx) }()
	until(t, "one waits", func() bool { return e.Waiting() == 1 })
	end(errCause)
	if err := <-got; err != errCause {
		t.Errorf("Wait whose context ended: %v", err)
	}
	if n := e.Waiting(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	e.Set()
	if err := e.Wait(ended); err != nil {
		t.Errorf("Wait for what is set looked at its context: %v", err)
	}
}

func TestEventClosed(t *testing.T) {
	e := newEvent(t)
	got := make(chan error)
	go func() { got <- e.Wait(background) }()
	until(t, "one waits", func() bool { return e.Waiting() == 1 })
	e.Close()
	if err := <-got; !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("waiting at close: %v", err)
	}
	for _, e := range []*shared.Event{e, {}} {
		for what, err := range map[string]error{"Set": e.Set(), "Clear": e.Clear(), "Wait": e.Wait(background)} {
			if !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("%s of a closed event: %v", what, err)
			}
		}
		if e.IsSet() {
			t.Error("a closed event is set")
		}
	}
}

// TestEventCost: a thousand who wait block few threads, and all are woken.
func TestEventCost(t *testing.T) {
	e := newEvent(t)
	before := threads(t)
	got := make(chan error)
	for range 1000 {
		go func() { got <- e.Wait(background) }()
	}
	until(t, "all wait", func() bool { return e.Waiting() == 1000 })
	if grown := threads(t) - before; grown > 10 {
		t.Errorf("1000 who wait brought %d threads", grown)
	}
	e.Set()
	for range 1000 {
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	}
}

var _ = scene("storm the event", func(ctx context.Context, c cast) (n int, err error) {
	for ; ; n++ {
		err := c.Ready.Wait(ctx)
		if err == nil {
			err = change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil })
		}
		if err == nil {
			err = errors.Join(c.Ready.Clear(), c.Ready.Set())
		}
		if err != nil {
			return n, err
		}
	}
})

// TestKillStormEvent: whoever is killed while he waits, clears or sets, the event can be
// set, and all who wait go on.
func TestKillStormEvent(t *testing.T) {
	c := cast{Role: "storm the event", Ready: newEvent(t), Tally: newTally(t)}
	c.Ready.Set()
	storm(t, c, func() error {
		waits := make(chan error, 1)
		ctx := soon(t)
		go func() { waits <- c.Ready.Wait(ctx) }()
		for {
			if err := c.Ready.Set(); err != nil { // the last one may have died between
				return err
			}
			select {
			case err := <-waits:
				return err
			case <-time.After(time.Millisecond):
			}
		}
	})
	c.Ready.Clear()
	if n := c.Ready.Waiting(); n != 0 || c.Ready.IsSet() {
		t.Errorf("%d wait, set: %v", n, c.Ready.IsSet())
	}
}

func ExampleEvent() {
	e, err := shared.NewEvent()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	go e.Set() // or another process that was given e
	fmt.Println(e.Wait(context.Background()), e.IsSet())
	// Output: <nil> true
}
