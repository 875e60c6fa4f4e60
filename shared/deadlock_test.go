//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// watched plays c in a process of its own that looks for deadlocks.
func watched(t *testing.T, c cast) *process.Handle[int] {
	return aloneAs(t, process.Config{Env: append(os.Environ(), "TANDEMDEBUG=locks")}, c)
}

// seat is something that can be held, of any type, and how.
type seat struct {
	How  string
	Lock *shared.Mutex
	RW   *shared.RWMutex
	Sem  *shared.Semaphore
	Once *shared.Once
	Cond *shared.Cond
}

// with runs f while the seat is held.
func (s seat) with(ctx context.Context, f func() error) error {
	switch s.How {
	case "Mutex":
		return s.Lock.With(ctx, f)
	case "Semaphore":
		return s.Sem.With(ctx, f)
	case "RWMutex, writing":
		return s.RW.With(ctx, f)
	case "RWMutex, reading":
		return s.RW.RWith(ctx, f)
	case "Once":
		return s.Once.Do(ctx, f)
	case "Cond, signalled":
		looks := 0
		return s.Cond.When(ctx, func() bool { looks++; return looks > 1 }, f)
	}
	return fmt.Errorf("no seat %q", s.How)
}

func newSeat(t *testing.T, how string) seat {
	s := seat{How: how}
	switch how {
	case "Mutex":
		s.Lock = open[*shared.Mutex](t)(shared.NewMutex())
	case "Semaphore":
		s.Sem = newSemaphore(t, 1)
	case "Once":
		s.Once = newOnce(t)
	default:
		s.RW = newRWMutex(t)
	}
	return s
}

// as is the same thing, held otherwise.
func (s seat) as(how string) seat { s.How = how; return s }

var (
	// Takes the seat, waits until all have one, and wants another.
	_ = scene("hold one, want another", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Has.with(ctx, func() error {
			if _, err := c.Meet.Wait(ctx); err != nil {
				return err
			}
			return c.Needs.with(ctx, func() error { return nil })
		})
	})
	// Does so with a time limit of its own.
	_ = scene("hold one, want another for two seconds", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Has.with(ctx, func() error {
			if _, err := c.Meet.Wait(ctx); err != nil {
				return err
			}
			limited, cancel := context.WithTimeoutCause(ctx, 2*time.Second, errCause)
			defer cancel()
			return c.Needs.with(limited, func() error { return nil })
		})
	})
	// Takes the seat, and keeps it until told.
	_ = scene("hold one until told", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Has.with(ctx, func() error {
			if _, err := c.Meet.Wait(ctx); err != nil {
				return err
			}
			return c.Event.Wait(ctx)
		})
	})
	_ = scene("want one", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Needs.with(ctx, func() error { return nil })
	})
	// Another goroutine of the process waits for the wanted one already, and sleeps for both.
	_ = scene("want it as the second", func(ctx context.Context, c cast) (int, error) {
		first := make(chan error, 1)
		go func() { first <- c.Needs.with(ctx, func() error { return nil }) }()
		err := c.Has.with(ctx, func() error {
			c.Ready.Set()
			if err := c.Event.Wait(ctx); err != nil {
				return err
			}
			return c.Needs.with(ctx, func() error { return nil })
		})
		return 0, errors.Join(err, <-first)
	})
	_ = scene("hold one, and want another when told", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Has.with(ctx, func() error {
			c.Ready.Set()
			if err := c.Event.Wait(ctx); err != nil {
				return err
			}
			return c.Needs.with(ctx, func() error { return nil })
		})
	})
	// One goroutine holds a seat until told, another holds a lock and wants another seat.
	_ = scene("hold one, and want another elsewhere", func(ctx context.Context, c cast) (int, error) {
		other := make(chan error, 1)
		err := c.Has.with(ctx, func() error {
			if _, err := c.Meet.Wait(ctx); err != nil {
				return err
			}
			go func() {
				other <- c.Second.With(ctx, func() error {
					return c.Needs.with(ctx, func() error { return nil })
				})
			}()
			return c.Event.Wait(ctx)
		})
		return 0, errors.Join(err, <-other)
	})
)

// outcome waits for all, and returns who was told of a deadlock.
func outcome(t *testing.T, all []*process.Handle[int]) (told []*shared.DeadlockError) {
	t.Helper()
	for i, h := range all {
		_, err := h.Wait(soon(t))
		var dead *shared.DeadlockError
		switch {
		case errors.As(err, &dead):
			told = append(told, dead)
			if dead.Circle[0].PID != h.Process.PID() {
				t.Errorf("%d is process %d and was told %v", i, h.Process.PID(), dead)
			}
		case err != nil:
			t.Errorf("%d: %v", i, err)
		}
	}
	return told
}

// ring starts processes that wait in a circle: each has a seat, and wants the next
// one's.
func ring(t *testing.T, has []seat, wants func(i int) seat) (all []*process.Handle[int]) {
	meet := newBarrier(t, len(has))
	for i := range has {
		all = append(all, watched(t, cast{Role: "hold one, want another", Meet: meet, Has: has[i], Needs: wants(i)}))
	}
	return all
}

// TestDeadlock: of those who wait in a circle one is told, and then the others go on.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	const mutex, permit, writing, reading, once = "Mutex", "Semaphore", "RWMutex, writing", "RWMutex, reading", "Once"
	for _, x := range []struct{ has, wants []string }{
		{[]string{mutex}, []string{mutex}},
		{[]string{mutex, mutex}, []string{mutex, mutex}},
		{[]string{mutex, mutex, mutex, mutex}, []string{mutex, mutex, mutex, mutex}},
		{[]string{permit, permit}, []string{permit, permit}},
		{[]string{writing, writing}, []string{writing, reading}},
		{[]string{reading, reading}, []string{writing, writing}},
		{[]string{reading}, []string{writing}},
		{[]string{mutex, permit, writing, reading, once}, []string{permit, reading, writing, once, mutex}},
	} {
		t.Run(strings.Join(x.has, "-"), func(t *testing.T) {
			t.Parallel()
			var seats []seat
			for _, how := range x.has {
				seats = append(seats, newSeat(t, how))
			}
			n := len(seats)
			all := ring(t, seats, func(i int) seat { return seats[(i+1)%n].as(x.wants[i]) })
			told := outcome(t, all)
			if len(told) != 1 {
				t.Fatalf("of %d in a circle %d were told", n, len(told))
			}
			if len(told[0].Circle) != n {
				t.Fatalf("a circle of %d, told %v", n, told[0])
			}
			first := 0
			for all[first].Process.PID() != told[0].Circle[0].PID {
				first++
			}
			for i, w := range told[0].Circle {
				h := all[(first+i)%n]
				if w.PID != h.Process.PID() || !strings.HasSuffix(w.Task, "act") || !strings.Contains(w.At, "deadlock_test.go:") {
					t.Errorf("member %d is %v, want process %d", i, w, h.Process.PID())
				}
			}
		})
	}
}

// TestDeadlockInQueue: who waits behind another goroutine of his process is a part of
// the circle too.
func TestDeadlockInQueue(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"Mutex", "Semaphore"} {
		ctx := soon(t)
		a, b := newSeat(t, how), newSeat(t, how)
		ready, second, event := newEvent(t), newEvent(t), newEvent(t)
		one := watched(t, cast{Role: "hold one, and want another when told", Has: a, Needs: b, Ready: ready, Event: event})
		if err := ready.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		two := watched(t, cast{Role: "want it as the second", Has: b, Needs: a, Ready: second, Event: event})
		if err := second.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		until(t, "the first of the two waits", func() bool { return len(seen(two)) == 1 })
		event.Set()
		_, err1 := one.Wait(ctx)
		_, err2 := two.Wait(ctx)
		var dead *shared.DeadlockError
		if errors.As(err1, &dead) == errors.As(err2, &dead) {
			t.Errorf("%s: the two got %v and %v, want a deadlock for one", how, err1, err2)
		}
	}
}

// TestDeadlockOfPermits: who waits for a permit can have that of anybody, so all who
// have one have to wait.
func TestDeadlockOfPermits(t *testing.T) {
	t.Parallel()
	sem, mutex := seat{How: "Semaphore", Sem: newSemaphore(t, 2)}, newSeat(t, "Mutex")
	meet := newBarrier(t, 3)
	told := outcome(t, []*process.Handle[int]{
		watched(t, cast{Role: "hold one, want another", Meet: meet, Has: sem, Needs: mutex}),
		watched(t, cast{Role: "hold one, want another", Meet: meet, Has: sem, Needs: mutex}),
		watched(t, cast{Role: "hold one, want another", Meet: meet, Has: mutex, Needs: sem}),
	})
	if len(told) == 0 {
		t.Error("nobody was told")
	}
}

// TestDeadlockBehindWriter: a reader waits for a writer that waits for another reader.
func TestDeadlockBehindWriter(t *testing.T) {
	t.Parallel()
	rw, mutex := newSeat(t, "RWMutex, reading"), newSeat(t, "Mutex")
	ready, ready2, event := newEvent(t), newEvent(t), newEvent(t)
	one := watched(t, cast{Role: "hold one, and want another when told", Has: rw, Needs: mutex, Ready: ready, Event: event})
	two := watched(t, cast{Role: "hold one, and want another when told", Has: mutex, Needs: rw, Ready: ready2, Event: event})
	if err := errors.Join(ready.Wait(soon(t)), ready2.Wait(soon(t))); err != nil {
		t.Fatal(err)
	}
	writer := watched(t, cast{Role: "want one", Needs: rw.as("RWMutex, writing")})
	until(t, "the writer waits", func() bool { return len(seen(writer)) == 1 })
	event.Set()
	if told := outcome(t, []*process.Handle[int]{one, two, writer}); len(told) != 1 {
		t.Errorf("%d were told: %v", len(told), told)
	}
}

// TestDeadlockOfCond: who was signalled waits for the lock like anybody else.
func TestDeadlockOfCond(t *testing.T) {
	t.Parallel()
	lock := newSeat(t, "Mutex")
	cond := seat{How: "Cond, signalled", Cond: open[*shared.Cond](t)(shared.NewCond(lock.Lock))}
	other := newSeat(t, "Mutex")
	ready, ready2, event, now := newEvent(t), newEvent(t), newEvent(t), newEvent(t)
	now.Set()
	one := watched(t, cast{Role: "hold one, and want another when told", Has: other, Needs: cond, Ready: ready, Event: now})
	until(t, "somebody waits for the signal", func() bool { return cond.Cond.Waiting() == 1 })
	two := watched(t, cast{Role: "hold one, and want another when told", Has: lock, Needs: other, Ready: ready2, Event: event})
	if err := ready2.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	cond.Cond.Signal()
	event.Set()
	if told := outcome(t, []*process.Handle[int]{one, two}); len(told) != 1 {
		t.Errorf("%d were told: %v", len(told), told)
	}
}

// seen is what a process tells the others of those of it who wait.
func seen(h *process.Handle[int]) []*deadlock.Record { return deadlock.Read(h.Process.PID()) }

// lookOften waits until each of the processes has looked for a deadlock five times, on
// behalf of the same one who waits.
func lookOften(t *testing.T, waiting ...*process.Handle[int]) {
	t.Helper()
	for _, h := range waiting {
		looks := map[int64]bool{}
		number := uint64(0)
		until(t, "it looks five times", func() bool {
			for _, r := range seen(h) {
				if number == 0 {
					number = r.Number
				}
				if r.Number == number {
					looks[r.Checked] = true
				}
			}
			return len(looks) >= 5
		})
	}
}

// TestNoDeadlock: near a circle nobody is told of one.
func TestNoDeadlock(t *testing.T) {
	t.Parallel()
	none := func(t *testing.T, told []*shared.DeadlockError) {
		t.Helper()
		if len(told) != 0 {
			t.Errorf("told of a deadlock that is none: %v", told)
		}
	}
	for _, how := range []string{"Mutex", "Semaphore", "RWMutex, writing"} {
		// The processes wait in a circle, and their goroutines do not.
		t.Run("another goroutine holds "+how, func(t *testing.T) {
			t.Parallel()
			a, b := newSeat(t, how), newSeat(t, how)
			meet, event := newBarrier(t, 2), newEvent(t)
			one := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: b, Needs: a})
			two := watched(t, cast{Role: "hold one, and want another elsewhere", Meet: meet, Has: a, Needs: b, Event: event,
				Second: open[*shared.Mutex](t)(shared.NewMutex())})
			lookOften(t, one, two)
			event.Set()
			none(t, outcome(t, []*process.Handle[int]{one, two}))
		})
		t.Run("a time limit in a circle of "+how, func(t *testing.T) {
			t.Parallel()
			a, b := newSeat(t, how), newSeat(t, how)
			meet := newBarrier(t, 2)
			one := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: a, Needs: b})
			two := watched(t, cast{Role: "hold one, want another for two seconds", Meet: meet, Has: b, Needs: a})
			if _, err := two.Wait(soon(t)); err == nil || !strings.Contains(err.Error(), errCause.Error()) {
				t.Errorf("%v, want the time limit", err)
			}
			none(t, outcome(t, []*process.Handle[int]{one}))
		})
	}
	t.Run("one holder of a permit is free", func(t *testing.T) {
		t.Parallel()
		sem, mutex := seat{How: "Semaphore", Sem: newSemaphore(t, 2)}, newSeat(t, "Mutex")
		meet, event := newBarrier(t, 3), newEvent(t)
		one := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: sem, Needs: mutex})
		two := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: mutex, Needs: sem})
		free := watched(t, cast{Role: "hold one until told", Meet: meet, Has: sem, Event: event})
		lookOften(t, one, two)
		event.Set()
		none(t, outcome(t, []*process.Handle[int]{one, two, free}))
	})
	t.Run("a permit is held where nobody looks", func(t *testing.T) {
		t.Parallel()
		sem, mutex := seat{How: "Semaphore", Sem: newSemaphore(t, 2)}, newSeat(t, "Mutex")
		if !sem.Sem.TryAcquire() { // this process was not started with TANDEMDEBUG
			t.Fatal("no permit")
		}
		meet := newBarrier(t, 2)
		one := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: sem, Needs: mutex})
		two := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: mutex, Needs: sem})
		lookOften(t, one, two)
		sem.Sem.Release()
		none(t, outcome(t, []*process.Handle[int]{one, two}))
	})
	t.Run("a reader is free", func(t *testing.T) {
		t.Parallel()
		// Both wait for a reader, but not for each other.
		rw, mutex := newSeat(t, "RWMutex, reading"), newSeat(t, "Mutex")
		meet, event := newBarrier(t, 2), newEvent(t)
		free := watched(t, cast{Role: "hold one until told", Meet: meet, Has: rw, Event: event})
		one := watched(t, cast{Role: "hold one, want another", Meet: meet, Has: mutex, Needs: rw.as("RWMutex, writing")})
		lookOften(t, one)
		event.Set()
		none(t, outcome(t, []*process.Handle[int]{free, one}))
	})
}
