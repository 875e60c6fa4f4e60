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

func newRWMutex(t testing.TB) *shared.RWMutex { return open[*shared.RWMutex](t)(shared.NewRWMutex()) }

// The two halves of the buffer are equal, unless a writer is inside.
func halves(b *shared.Buffer, write bool) (err error) {
	e := b.View(func(p []byte) error {
		first, second := p[:len(p)/2], p[len(p)/2:]
		if string(first) != string(second) {
			return errors.New("somebody was inside together with a writer")
		}
		if write {
			for i := range first {
				first[i]++
			}
			copy(second, first)
		}
		return nil
	})
	return e
}

var _ = scene("write", func(ctx context.Context, c cast) (int, error) {
	for range c.N {
		if err := c.RW.With(ctx, func() error { return halves(c.Data, true) }); err != nil {
			return 0, err
		}
	}
	return 0, nil
})

var _ = scene("read", func(ctx context.Context, c cast) (int, error) {
	for range c.N {
		if err := c.RW.RWith(ctx, func() error { return halves(c.Data, false) }); err != nil {
			return 0, err
		}
	}
	return 0, nil
})

// TestRWMutex: a writer is alone, wherever the others are.
func TestRWMutex(t *testing.T) {
	everywhere(t, 6, func(t *testing.T, place tandem.Runner) {
		c := cast{N: 500, RW: newRWMutex(t), Data: open[*shared.Buffer](t)(shared.NewBuffer(4000))}
		c.Role = "read"
		list := all(t.Context(), place, 4, c)
		c.Role = "write"
		waitAll(t, append(list, all(t.Context(), place, 2, c)...))
		if !c.RW.TryLock() {
			t.Error("the lock is not free")
		}
		c.RW.Unlock()
	})
}

var _ = scene("read together", func(ctx context.Context, c cast) (int, error) {
	return 0, c.RW.RWith(ctx, func() error { _, err := c.Meet.Wait(ctx); return err })
})

// TestRWMutexShared: readers are inside together.
func TestRWMutexShared(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "read together", RW: newRWMutex(t), Meet: newBarrier(t, 4)}
		waitAll(t, all(t.Context(), place, 4, c))
	})
}

var _ = scene("one turn", func(ctx context.Context, c cast) (int, error) {
	note := func() error {
		return c.Tally.Update(ctx, func(y *tally) error { y.Total = 10*y.Total + c.N; return nil })
	}
	if c.N == 1 {
		return 0, c.RW.RWith(ctx, note)
	}
	return 0, c.RW.With(ctx, note)
})

// TestRWMutexOrder: after a writer the readers who wait go, and then the next writer;
// a reader who comes while a writer waits goes after it.
func TestRWMutexOrder(t *testing.T) {
	everywhere(t, 5, func(t *testing.T, place tandem.Runner) {
		c := cast{Role: "one turn", RW: newRWMutex(t), Tally: newTally(t)}
		var list []*tandem.Future[int]
		queue := func(n int) {
			c.N = n
			list = append(list, act.On(place).Go(t.Context(), c))
			until(t, "one more waits", func() bool { return c.RW.Waiting() == len(list) })
		}
		c.RW.Lock(background)
		queue(2)
		queue(3)
		queue(1)
		queue(1)
		c.RW.Unlock()
		waitAll(t, list)
		if y, _ := c.Tally.Load(background); y.Total != 1123 {
			t.Errorf("after a writer, 2 and 3 to write and two 1 to read went as %d", y.Total)
		}
		list = nil
		c.Tally.Store(background, tally{})
		c.RW.RLock(background)
		queue(2)
		if c.RW.TryRLock() {
			t.Error("a reader overtook a writer who waits")
		}
		queue(1)
		c.RW.RUnlock()
		waitAll(t, list)
		if y, _ := c.Tally.Load(background); y.Total != 21 {
			t.Errorf("a writer 2 who waits for a reader, and then a reader 1, went as %d", y.Total)
		}
	})
}

var (
	_ = scene("hog reading", func(ctx context.Context, c cast) (int, error) { return hog(ctx, c, c.RW.RWith) })
	_ = scene("hog writing", func(ctx context.Context, c cast) (int, error) { return hog(ctx, c, c.RW.With) })
)

// TestRWMutexFair: neither readers nor writers starve.
func TestRWMutexFair(t *testing.T) {
	for _, roles := range [][]string{
		{"reading", "reading", "reading", "writing"},
		{"reading", "writing", "writing", "writing"},
	} {
		t.Run(strings.Join(roles[1:3], "-"), func(t *testing.T) {
			rw := newRWMutex(t)
			var casts []cast
			for _, r := range roles {
				casts = append(casts, cast{Role: "hog " + r, RW: rw})
			}
			nobodyStarves(t, casts...)
		})
	}
}

func TestRWMutexShape(t *testing.T) {
	m := newRWMutex(t)
	ended, cancel := cancelled()
	defer cancel()
	for range 2 {
		if err := m.RLock(ended); err != nil {
			t.Errorf("RLock of a free lock looked at its context: %v", err)
		}
	}
	if err := m.Lock(ended); err != errCause || m.TryLock() {
		t.Errorf("Lock beside readers: %v", err)
	}
	if !m.TryRLock() {
		t.Error("a writer who has given up keeps readers out")
	}
	for range 3 {
		m.RUnlock()
	}
	if err := m.Lock(ended); err != nil {
		t.Errorf("Lock of a free lock looked at its context: %v", err)
	}
	if err := m.RLock(ended); err != errCause || m.TryRLock() {
		t.Errorf("RLock beside a writer: %v", err)
	}
	if err := m.RLock(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("RLock with a nil context: %v", err)
	}
	m.Unlock()
	if err := errors.Join(m.Repair(background, nil)); err != nil {
		t.Errorf("Repair of a whole lock: %v", err)
	}
	was := newRWMutex(t)
	was.Lock(background)
	was.Close()
	for name, m := range map[string]*shared.RWMutex{"free": m, "closed": was, "zero": {}} {
		for method, f := range map[string]func(){"Unlock": m.Unlock, "RUnlock": m.RUnlock} {
			func() {
				defer func() {
					if v, _ := recover().(string); !strings.Contains(v, "tandem: shared.RWMutex: "+method) {
						t.Errorf("%s of a %s lock: panic %q", method, name, v)
					}
				}()
				f()
			}()
		}
		if name == "free" {
			continue
		}
		for method, err := range map[string]error{"Lock": m.Lock(background), "RLock": m.RLock(background), "Repair": m.Repair(background, nil)} {
			if !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("%s of a %s lock: %v", method, name, err)
			}
		}
	}
}

// TestRWMutexCancel: contexts that end at any moment leave the lock free.
func TestRWMutexCancel(t *testing.T) {
	m := newRWMutex(t)
	done := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for range 300 {
				ctx, cancel := timeout(time.Duration(rand.IntN(200)) * time.Microsecond)
				f := m.RWith
				if i%2 == 0 {
					f = m.With
				}
				err = f(ctx, func() error { time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond); return nil })
				cancel()
				if err != nil && err != errCause {
					break
				}
				err = nil
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := m.Lock(soon(t)); err != nil || m.Waiting() != 0 {
		t.Errorf("afterwards: %v, %d wait", err, m.Waiting())
	}
}

var (
	_ = scene("stay reading", func(ctx context.Context, c cast) (int, error) { return stay(ctx, c, c.RW.RWith) })
	_ = scene("stay writing", func(ctx context.Context, c cast) (int, error) { return stay(ctx, c, c.RW.With) })
)

func stay(ctx context.Context, c cast, with func(context.Context, func() error) error) (int, error) {
	return 0, with(ctx, func() error { c.Ready.Set(); <-ctx.Done(); return nil })
}

// TestRWMutexReaderKilled: its share is free, for one who waits and for one who comes.
func TestRWMutexReaderKilled(t *testing.T) {
	c := cast{Role: "stay reading", RW: newRWMutex(t), Ready: newEvent(t)}
	h := alone(t, c)
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() { got <- c.RW.Lock(soon(t)) }()
	until(t, "one waits", func() bool { return c.RW.Waiting() == 1 })
	kill(h)
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	c.RW.Unlock()
}

// TestRWMutexWriterKilled: everybody learns of it, one repairs, and then it is whole.
func TestRWMutexWriterKilled(t *testing.T) {
	c := cast{Role: "stay writing", RW: newRWMutex(t), Ready: newEvent(t)}
	sentinel := errors.New("sentinel")
	for _, fails := range []bool{false, true} {
		c.Ready.Clear()
		h := alone(t, c)
		if err := c.Ready.Wait(soon(t)); err != nil {
			t.Fatal(err)
		}
		got := make(chan error)
		go func() { got <- c.RW.Lock(soon(t)) }()
		go func() { got <- c.RW.RLock(soon(t)) }()
		until(t, "two wait", func() bool { return c.RW.Waiting() == 2 })
		kill(h)
		for range 2 {
			var died *shared.OwnerDiedError
			if err := <-got; !errors.As(err, &died) || died.PID != h.Process.PID() {
				t.Errorf("who waits gets %v", err)
			}
		}
		if c.RW.TryLock() || c.RW.TryRLock() {
			t.Error("a lock whose writer died was taken")
		}
		ran := make(chan int, 9)
		for range 3 {
			go func() {
				got <- c.RW.Repair(soon(t), func(died *shared.OwnerDiedError) error {
					ran <- died.PID
					if fails {
						return sentinel
					}
					return nil
				})
			}()
		}
		failed := 0
		for range 3 {
			err := <-got
			if errors.Is(err, sentinel) {
				failed++
			}
			if (err != nil) != fails || fails && !errors.Is(err, shared.ErrNotRecoverable) {
				t.Errorf("Repair: %v", err)
			}
		}
		if len(ran) != 1 || <-ran != h.Process.PID() || fails && failed != 1 {
			t.Errorf("%d repairs ran", len(ran)+1)
		}
		if err := c.RW.Lock(soon(t)); fails != (err == shared.ErrNotRecoverable) || !fails && err != nil {
			t.Errorf("afterwards: %v", err)
		} else if err == nil {
			c.RW.Unlock()
		}
	}
}

var _ = scene("storm the lock", func(ctx context.Context, c cast) (int, error) {
	for n := 0; ; n++ {
		err := c.RW.RWith(ctx, func() error { return halves(c.Data, false) })
		if err == nil {
			err = c.RW.With(ctx, func() error { return halves(c.Data, true) })
		}
		if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
			err = c.RW.Repair(ctx, func(*shared.OwnerDiedError) error { return makeEqual(c.Data) })
		}
		if err == nil {
			err = change(ctx, c.Tally, func(y *tally) error { y.Total++; return nil })
		}
		if err != nil {
			return n, err
		}
	}
})

func makeEqual(b *shared.Buffer) error {
	return b.View(func(p []byte) error { copy(p[len(p)/2:], p); return nil })
}

// TestKillStormRWMutex: whoever is killed, nobody sees what is half changed without
// being told, and everybody gets in.
func TestKillStormRWMutex(t *testing.T) {
	deaths := 0
	c := cast{Role: "storm the lock", RW: newRWMutex(t), Tally: newTally(t), Data: open[*shared.Buffer](t)(shared.NewBuffer(1 << 16))}
	storm(t, c, func() error {
		err := c.RW.With(soon(t), func() error { return halves(c.Data, true) })
		if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
			deaths++
			err = c.RW.Repair(soon(t), func(*shared.OwnerDiedError) error { return makeEqual(c.Data) })
		}
		return err
	})
	t.Logf("%d deaths of writers reached this process", deaths)
}

func ExampleRWMutex() {
	m, err := shared.NewRWMutex()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	err = m.RWith(context.Background(), func() error { // in any process that was given it
		fmt.Println("another reader:", m.TryRLock(), "a writer:", m.TryLock())
		m.RUnlock()
		return nil
	})
	fmt.Println(err)
	// Output:
	// another reader: true a writer: false
	// <nil>
}
