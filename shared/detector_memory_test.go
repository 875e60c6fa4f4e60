//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/process"
)

// touch is a way to change element i of shared memory. Ordered ones need nothing else
// to keep apart two who change the same element.
type touch struct {
	by      string
	ordered bool
	do      func(c cast, i int) error
}

var touches = []touch{
	{"Slice.View", false, func(c cast, i int) error {
		return c.Slice.View(func(p []int64) error { p[i]++; return nil })
	}},
	{"Slice.Slice", false, func(c cast, i int) error {
		p, err := c.Slice.Slice()
		if err != nil {
			return err
		}
		p[i]++
		c.Slice.Unpin()
		return nil
	}},
	{"Slice.View, by sync/atomic", true, func(c cast, i int) error {
		return c.Slice.View(func(p []int64) error { atomic.AddInt64(&p[i], 1); return nil })
	}},
	{"Slice.Update", true, func(c cast, i int) error {
		return c.Slice.Update(background, func(p []int64) error { p[i]++; return nil })
	}},
	{"Value.Update", true, func(c cast, i int) error {
		return c.Tally.Update(background, func(y *tally) error { y.Total++; return nil })
	}},
	{"Value.Load and Store", true, func(c cast, i int) error {
		y, err := c.Tally.Load(background)
		return errors.Join(err, c.Tally.Store(background, y))
	}},
	{"Atomic", true, func(c cast, i int) error { c.Num.Add(1); return nil }},
	{"Buffer.View", false, func(c cast, i int) error {
		return c.Data.View(func(p []byte) error { p[i]++; return nil })
	}},
	{"Buffer.WriteAt", false, func(c cast, i int) error { _, err := c.Data.WriteAt([]byte{1}, int64(i)); return err }},
	{"Buffer.Slice", false, func(c cast, i int) error {
		p, err := c.Data.Slice()
		if err != nil {
			return err
		}
		p[i]++
		c.Data.Unpin()
		return nil
	}},
}

// touched has two goroutines do something, unordered.
func touched(t *testing.T, one, other func() error) {
	t.Helper()
	var errs [2]error
	var group sync.WaitGroup
	group.Go(func() { errs[0] = one() })
	group.Go(func() { errs[1] = other() })
	group.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Error(err)
	}
}

func touchable(t *testing.T) cast {
	c := newCond(t)
	c.Tally, c.Event, c.Ready = newTally(t), newEvent(t), newEvent(t)
	c.Num, c.Slice = newAtomic[int64](t, 0), newSlice[int64](t, 8)
	return c
}

var (
	_ = scene("pass on what is said", func(ctx context.Context, c cast) (int, error) {
		return 0, errors.Join(c.Event.Wait(ctx), c.Ready.Set())
	})
	_ = scene("touch it too", func(ctx context.Context, c cast) (int, error) { return races(), touches[c.N].do(c, 0) })
)

// TestTouches: of what is right with shared memory the race detector reports nothing.
func TestTouches(t *testing.T) {
	if os.Getenv(wrong) != "" {
		return
	}
	pool := &process.Pool{Workers: 1, Threads: 2}
	defer pool.Close()
	for i, o := range touches {
		c := touchable(t)
		c.N = i
		first := func() error { return o.do(c, 0) }
		t.Run(o.by+"/each has a part of his own", func(t *testing.T) {
			touched(t, first, func() error { return o.do(c, 1) })
		})
		t.Run(o.by+"/a lock keeps them apart", func(t *testing.T) {
			apart := func() error { return c.Lock.With(background, first) }
			if o.ordered {
				apart = first
			}
			touched(t, apart, apart)
		})
		t.Run(o.by+"/another process has them in order", func(t *testing.T) {
			c := c
			c.Role = "pass on what is said"
			passes := act.On(pool).Go(soon(t), c)
			touched(t,
				func() error { return errors.Join(o.do(c, 2), c.Event.Set()) },
				func() error { return errors.Join(c.Ready.Wait(soon(t)), o.do(c, 2)) })
			waitAll(t, []*tandem.Future[int]{passes})
		})
		t.Run(o.by+"/tasks of one worker, one after the other", func(t *testing.T) {
			c := c
			c.Role = "touch it too"
			for range 10 {
				if n := waitAll(t, all(soon(t), pool, 1, c)); n[0] != 0 {
					t.Fatalf("%d races are reported in the worker", n[0])
				}
			}
		})
	}
}

// TestTouchesWrong: and what nothing puts in order it reports.
func TestTouchesWrong(t *testing.T) {
	if name := os.Getenv(wrong); name != "" {
		c := touchable(t)
		for _, o := range touches {
			if o.by == name {
				touched(t, func() error { return o.do(c, 0) }, func() error { return o.do(c, 0) })
			}
			if o.by+" beside an Update" == name {
				touched(t, func() error { return o.do(c, 0) }, func() error {
					return c.Slice.Update(background, func(p []int64) error { p[0]++; return nil })
				})
			}
		}
		return
	}
	if !lock.Shadowed {
		t.Skip("not a race build")
	}
	for _, o := range touches {
		if o.ordered {
			continue
		}
		names := []string{o.by}
		if strings.HasPrefix(o.by, "Slice") {
			names = append(names, o.by+" beside an Update")
		}
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command(os.Args[0], "-test.run=^TestTouchesWrong$", "-test.count=1")
				cmd.Env = append(os.Environ(), fmt.Sprint(wrong, "=", name))
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), "DATA RACE") {
					t.Errorf("no race is reported: %v\n%s", err, out)
				}
			})
		}
	}
}
