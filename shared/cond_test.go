//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

func newCond(t testing.TB) cast {
	mu := open[*shared.Mutex](t)(shared.NewMutex())
	return cast{
		Lock: mu, Cond: open[*shared.Cond](t)(shared.NewCond(mu)),
		Data: open[*shared.Buffer](t)(shared.NewBuffer(8)),
	}
}

// stock is a number in a buffer, under a lock.
func stock(c cast, change int) (n int) {
	c.Data.View(func(p []byte) error {
		n = int(binary.NativeEndian.Uint64(p)) + change
		binary.NativeEndian.PutUint64(p, uint64(n))
		return nil
	})
	return n
}

var _ = scene("take from stock", func(ctx context.Context, c cast) (n int, err error) {
	for range c.N {
		err := c.Cond.When(ctx, func() bool { return stock(c, 0) > 0 }, func() error { stock(c, -1); return nil })
		if err != nil {
			return 0, err
		}
	}
	return c.N, nil
})

var _ = scene("put into stock", func(ctx context.Context, c cast) (n int, err error) {
	for range c.N {
		if err := c.Lock.With(ctx, func() error { stock(c, 1); return nil }); err != nil {
			return 0, err
		}
		if err := c.Cond.Signal(); err != nil {
			return 0, err
		}
	}
	return c.N, nil
})

// TestCond: what is put one by one is taken one by one, and no signal is lost.
func TestCond(t *testing.T) {
	everywhere(t, 6, func(t *testing.T, place tandem.Runner) {
		c := newCond(t)
		c.N, c.Role = 200, "take from stock"
		takers := all(t.Context(), place, 3, c)
		c.Role = "put into stock"
		waitAll(t, all(t.Context(), place, 3, c))
		waitAll(t, takers)
		if n := stock(c, 0); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

var _ = scene("wait for all", func(ctx context.Context, c cast) (n int, err error) {
	return 1, c.Cond.When(ctx, func() bool { return stock(c, 0) == c.N }, func() error { return nil })
})

func TestCondBroadcast(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		c := newCond(t)
		for i := range 20 {
			c.N, c.Role = i+1, "wait for all"
			list := all(t.Context(), place, 4, c)
			until(t, "four wait", func() bool { return c.Cond.Waiting() == 4 })
			err := c.Lock.With(soon(t), func() error { stock(c, 1); return c.Cond.Broadcast() })
			if err != nil {
				t.Fatal(err)
			}
			waitAll(t, list)
		}
	})
}

func TestCondShape(t *testing.T) {
	c := newCond(t)
	ended, cancel := cancelled()
	defer cancel()
	free := func(when string) {
		t.Helper()
		if !c.Lock.TryLock() {
			t.Fatalf("%s: the lock is held", when)
		}
	}
	c.Lock.Lock(background)
	if err := c.Cond.Wait(ended); err != errCause {
		t.Errorf("Wait with an ended context: %v", err)
	}
	free("after Wait with an ended context") // and locks it
	if err := c.Cond.Wait(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("Wait with a nil context: %v", err)
	}
	free("after Wait with a nil context")
	c.Lock.Unlock()
	func() {
		defer func() {
			if v, _ := recover().(string); !strings.Contains(v, "shared.Cond: Wait of what this process does not hold") {
				t.Errorf("Wait without the lock: panic %q", v)
			}
		}()
		c.Cond.Wait(background)
	}()
	if err := errors.Join(c.Cond.Signal(), c.Cond.Broadcast()); err != nil {
		t.Errorf("signals that nobody waits for: %v", err)
	}
	if err := c.Cond.When(background, func() bool { return true }, func() error { return errCause }); err != errCause {
		t.Errorf("When = %v", err)
	}
	func() {
		defer func() { recover() }()
		c.Cond.When(background, func() bool { panic("boom") }, nil)
	}()
	free("after a panic in When")
	c.Lock.Unlock()
	other, err := travel(c.Cond)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		err := errors.Join(other.Mutex().Lock(background), other.Wait(background))
		other.Mutex().Unlock()
		got <- err
	}()
	until(t, "one waits", func() bool { return c.Cond.Waiting() == 1 })
	c.Cond.Signal()
	if err := <-got; err != nil {
		t.Error(err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	for name, zero := range map[string]*shared.Cond{"zero": {}, "closed": other} {
		for what, err := range map[string]error{
			"Wait": zero.Wait(background), "Signal": zero.Signal(), "Broadcast": zero.Broadcast(),
			"When": zero.When(background, nil, nil), "Lock": zero.Mutex().Lock(background),
		} {
			if !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("%s of a %s Cond: %v", what, name, err)
			}
		}
	}
	if _, err := shared.NewCond(new(shared.Mutex)); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("NewCond of a closed Mutex: %v", err)
	}
}

// TestCondSignalGoesOn: a signal whose receiver gives up reaches another.
func TestCondSignalGoesOn(t *testing.T) {
	c := newCond(t)
	for i := range 500 {
		ctx, cancel := context.WithCancelCause(background)
		first, second := make(chan error), make(chan error)
		wait := func(ctx context.Context, got chan error) {
			c.Lock.Lock(background)
			err := c.Cond.Wait(ctx)
			if err == nil {
				c.Lock.Unlock()
			}
			got <- err
		}
		go wait(ctx, first)
		until(t, "one waits", func() bool { return c.Cond.Waiting() == 1 })
		go wait(soon(t), second)
		until(t, "two wait", func() bool { return c.Cond.Waiting() == 2 })
		if i%2 == 0 {
			go cancel(errCause)
			c.Cond.Signal()
		} else {
			go c.Cond.Signal()
			cancel(errCause)
		}
		if err := <-first; err == nil {
			c.Cond.Signal() // it was the first one's
		} else if err != errCause {
			t.Fatal(err)
		}
		if err := <-second; err != nil {
			t.Fatal(err)
		}
		cancel(nil)
	}
}

var _ = scene("hold the lock", func(ctx context.Context, c cast) (int, error) {
	if err := c.Lock.Lock(ctx); err != nil {
		return 0, err
	}
	c.Ready.Set()
	<-ctx.Done()
	return 0, nil
})

// TestCondOwnerKilled: who waits for a signal of one that died with the lock learns
// of it, and does not have the lock.
func TestCondOwnerKilled(t *testing.T) {
	c := newCond(t)
	got := make(chan error)
	go func() { got <- c.Cond.When(soon(t), func() bool { return false }, nil) }()
	until(t, "one waits", func() bool { return c.Cond.Waiting() == 1 })
	c.Role, c.Ready = "hold the lock", newEvent(t)
	h := alone(t, c)
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	kill(h)
	var died *shared.OwnerDiedError
	if err := <-got; !errors.As(err, &died) || died.PID != h.Process.PID() {
		t.Errorf("who waits gets %v", err)
	}
	if err := c.Lock.Repair(soon(t), func(*shared.OwnerDiedError) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestKillStormCond: whoever is killed, what is put into the stock finds its taker.
func TestKillStormCond(t *testing.T) {
	c := newCond(t)
	c.N, c.Role = 1<<30, "take from stock"
	alone(t, c) // lives
	kills := 0
	repair := func() error {
		return c.Lock.Repair(soon(t), func(*shared.OwnerDiedError) error { stock(c, -stock(c, 0)); return nil })
	}
	for end := time.Now().Add(*stormTime); time.Now().Before(end); {
		var playing []*process.Handle[int]
		for range max(1, *players-2) {
			playing = append(playing, alone(t, c))
		}
		until(t, "they wait", func() bool { return c.Cond.Waiting() > 0 })
		for _, h := range playing {
			go func() {
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				h.Process.Kill()
			}()
			kills++
			for alive := true; alive; {
				select {
				case <-h.Done():
					alive = false
				default:
				}
				err := c.Lock.With(soon(t), func() error { stock(c, 1); return nil })
				if err == nil {
					err = c.Cond.Signal()
				}
				if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
					alone(t, c) // for those who learned of it
					err = repair()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		until(t, "everything is taken", func() bool {
			left := 0
			err := c.Lock.With(soon(t), func() error { left = stock(c, 0); return nil })
			if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
				alone(t, c)
				repair()
				return false
			}
			return err == nil && left == 0
		})
	}
	t.Logf("%d kills", kills)
}

func ExampleCond_When() {
	mu, err := shared.NewMutex()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mu.Close()
	changed, err := shared.NewCond(mu)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer changed.Close()
	full := false // in real life in shared memory, such as a Buffer
	go mu.With(context.Background(), func() error { full = true; return changed.Signal() })
	err = changed.When(context.Background(), func() bool { return full }, func() error {
		fmt.Println("it is full")
		return nil
	})
	fmt.Println(err)
	// Output:
	// it is full
	// <nil>
}
