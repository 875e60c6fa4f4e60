//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

func newOnce(t testing.TB) *shared.Once { return open[*shared.Once](t)(shared.NewOnce()) }

var _ = scene("do it", func(ctx context.Context, c cast) (int, error) {
	if err := c.Once.Do(ctx, func() error {
		return change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil })
	}); err != nil {
		return 0, err
	}
	y, err := c.Tally.Load(ctx)
	return y.Total, err
})

// TestOnce: one does it, and everybody's Do returns when it is done.
func TestOnce(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "do it", Tally: newTally(t)}
		for round := range 20 {
			c.Once = newOnce(t)
			for _, total := range waitAll(t, append(all(t.Context(), place, 4, c), all(t.Context(), place, 4, c)...)) {
				if total != round+1 {
					t.Errorf("done %d times in %d rounds", total, round+1)
				}
			}
		}
	})
}

// TestOnceFails: who fails has not done it, and the next in line does.
func TestOnceFails(t *testing.T) {
	o := newOnce(t)
	ran := 0
	fail := func() error { ran++; return errCause }
	if err := o.Do(background, fail); err != errCause {
		t.Errorf("Do = %v, want its function's error", err)
	}
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic of the function was lost")
			}
		}()
		o.Do(background, func() error { ran++; panic("boom") })
	}()
	var wg sync.WaitGroup
	begun, end := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		o.Do(background, func() error { ran++; close(begun); <-end; return errCause })
	})
	<-begun
	for range 3 {
		wg.Go(func() {
			if err := o.Do(background, func() error { ran++; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "three wait", func() bool { return o.Waiting() == 3 })
	ended, cancel := cancelled()
	defer cancel()
	if err := o.Do(ended, fail); err != errCause {
		t.Errorf("Do with an ended context while another does it: %v", err)
	}
	close(end)
	wg.Wait()
	if err := o.Do(ended, fail); err != nil {
		t.Errorf("Do of what is done: %v", err)
	}
	if ran != 4 {
		t.Errorf("ran %d times, want two failures, one that was waited for, and one success", ran)
	}
}

var _ = scene("begin it", func(ctx context.Context, c cast) (int, error) {
	return 0, c.Once.Do(ctx, func() error {
		c.Ready.Set()
		<-ctx.Done()
		return context.Cause(ctx)
	})
})

// TestOnceKilled: what one left half done when it was killed, the next one does.
func TestOnceKilled(t *testing.T) {
	c := cast{Role: "begin it", Once: newOnce(t), Ready: newEvent(t)}
	h := alone(t, c)
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	ran := false
	got := make(chan error)
	go func() { got <- c.Once.Do(soon(t), func() error { ran = true; return nil }) }()
	until(t, "one waits", func() bool { return c.Once.Waiting() == 1 })
	kill(h)
	if err := <-got; err != nil || !ran {
		t.Errorf("after the death of who did it: ran %v, %v", ran, err)
	}
}

func TestOnceClosed(t *testing.T) {
	o := newOnce(t)
	err := o.Do(background, func() error { return o.Close() })
	if !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Do during which it was closed: %v", err)
	}
	for _, o := range []*shared.Once{o, {}} {
		if err := o.Do(background, func() error { t.Error("ran"); return nil }); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("Do of a closed Once: %v", err)
		}
	}
}

var _ = scene("storm once", func(ctx context.Context, c cast) (int, error) {
	return inTurns(ctx, c, func(ctx context.Context, f func() error) error {
		err := c.Once.Do(ctx, func() error { return errors.Join(f(), errCause) })
		if errors.Is(err, errCause) {
			return nil
		}
		return err
	})
})

// TestKillStormOnce: of those who try, one at a time is at it.
func TestKillStormOnce(t *testing.T) {
	c := cast{Role: "storm once", Once: newOnce(t), Tally: newTally(t)}
	storm(t, c, func() error {
		err := c.Once.Do(soon(t), func() error { return errors.Join(takeOver(background, c.Tally), errCause) })
		if err == errCause || err.Error() == errCause.Error() {
			return nil
		}
		return err
	})
	if err := c.Once.Do(soon(t), func() error { return nil }); err != nil {
		t.Error(err)
	}
}

func ExampleOnce() {
	once, err := shared.NewOnce()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer once.Close()
	for range 2 { // in any process that was given it
		err := once.Do(context.Background(), func() error {
			fmt.Println("made the table")
			return nil
		})
		fmt.Println(err)
	}
	// Output:
	// made the table
	// <nil>
	// <nil>
}
