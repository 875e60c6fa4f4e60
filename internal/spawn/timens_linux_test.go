package spawn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

func init() { spawn.Begin = tandem.Init }

// shift is by how much the clocks of the workers differ from this process's.
const shift = 1_000_000 * time.Second

// shifted has all processes that are started from now on, until the end of the test,
// live in a time namespace where the clocks since boot show another time.
func shifted(t *testing.T, by time.Duration) {
	t.Helper()
	var missing error // there are no such namespaces here, or not for us
	enter := func(by time.Duration) (err error) {
		spawn.OnStarter(func() {
			if err = unix.Unshare(unix.CLONE_NEWTIME); err != nil {
				missing = err
				return
			}
			offsets := fmt.Sprintf("monotonic %d 0\nboottime %d 0\n", by/time.Second, by/time.Second)
			err = os.WriteFile(fmt.Sprintf("/proc/%d/timens_offsets", unix.Gettid()), []byte(offsets), 0)
		})
		return err
	}
	if err := enter(by); missing != nil {
		t.Skip("no time namespace can be made: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := enter(0); err != nil {
			t.Error(err)
		}
	})
}

// clocks is what a worker sees: its clock, its own start, and how much time its call
// has.
type clocks struct {
	Now   int64
	PID   int
	Start uint64
	Left  time.Duration
}

var (
	lookAtClocks = tandem.NewTask("look at clocks", func(ctx context.Context, _ int) (c clocks, err error) {
		if until, ok := ctx.Deadline(); ok {
			c.Left = time.Until(until)
		}
		c.Now, c.PID = sys.MonotonicNow(), os.Getpid()
		c.Start, err = sys.ProcessStart(c.PID)
		return c, err
	})
	sleepOn = tandem.NewTask("sleep on", func(context.Context, int) (int, error) { select {} })
	listen  = tandem.NewTask("listen", func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
	spin    = tandem.NewTask("spin", func(context.Context, int) (n int, err error) {
		for ; ; n++ {
			n &= 0xff
		}
	})
	hold = tandem.NewTask("hold", func(ctx context.Context, m *shared.Mutex) (int, error) {
		if err := m.Lock(ctx); err != nil {
			return 0, err
		}
		os.Exit(9)
		return 0, nil
	})
)

// TestOtherClocks: nothing that crosses the border between processes is a time of day or
// since boot, so workers whose clocks show another time keep all limits, and locks tell
// a dead owner from one that lives. (A jump of the machine's own time of day cannot be
// made here; no deadline looks at that.)
func TestOtherClocks(t *testing.T) {
	for _, by := range []time.Duration{shift, 0} {
		t.Run(by.String(), func(t *testing.T) {
			if by != 0 {
				shifted(t, by)
			}
			inOtherTime(t, by)
		})
	}
}

func inOtherTime(t *testing.T, by time.Duration) {
	pool := &process.Pool{Workers: 1, Config: process.Config{Stderr: io.Discard}}
	defer pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	before := sys.MonotonicNow()
	c, err := lookAtClocks.On(pool).Call(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Duration(c.Now-before) - by; d < 0 || d > time.Minute {
		t.Fatalf("the worker's clock is not %v ahead, but %v more", by, d)
	}
	if start, err := sys.ProcessStart(c.PID); err != nil || start != c.Start {
		t.Errorf("the worker started at %d, as it says itself, at %d, as seen from here, %v", c.Start, start, err)
	}
	if c.Left > time.Hour || c.Left < 59*time.Minute {
		t.Errorf("the worker has %v left of an hour", c.Left)
	}
	for range 1000 { // the two sides spin for each other, by leases with a time in them
		if _, err := lookAtClocks.On(pool).Call(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}

	const limit = 100 * time.Millisecond
	for _, l := range []struct {
		name   string
		task   *tandem.Task[int, int]
		limits tandem.Limits
		want   error
	}{
		{"Limits.Time", sleepOn, tandem.Limits{Time: limit, Grace: -1}, tandem.ErrTimeout},
		{"Limits.Time, heeded", listen, tandem.Limits{Time: limit}, tandem.ErrTimeout},
		{"Limits.CPU", spin, tandem.Limits{CPU: limit, Grace: -1}, tandem.ErrCPU},
		{"a deadline", sleepOn, tandem.Limits{Grace: -1}, context.DeadlineExceeded},
		{"a deadline, heeded", listen, tandem.Limits{}, context.DeadlineExceeded},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if l.want == context.DeadlineExceeded {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), limit)
		}
		begun := time.Now()
		_, err := l.task.On(pool).Limit(l.limits).Call(ctx, 0)
		cancel()
		if took := time.Since(begun); !errors.Is(err, l.want) || took < limit/2 || took > 30*time.Second {
			t.Errorf("%s: after %v: %v, want after %v: %v", l.name, took, err, limit, l.want)
		}
	}

	m, err := shared.NewMutex()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range 5 {
		if _, err := hold.On(pool).Call(t.Context(), m); err == nil {
			t.Fatal("the owner lives")
		}
		if err := m.Lock(t.Context()); !errors.As(err, new(*shared.OwnerDiedError)) {
			t.Fatalf("the owner died, and Lock says %v", err)
		}
		if err := m.Repair(t.Context(), func(*shared.OwnerDiedError) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
