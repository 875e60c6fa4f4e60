//go:build linux

package shared_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/shared"
)

// order is how one goroutine does something to the heap before another does, by a
// shared thing. Both have the same things in a right program, and others in a wrong
// one, where prepare lets nobody wait for ever.
type order struct {
	by      string
	first   func(c cast, f func()) error
	second  func(c cast, f func()) error
	prepare func(one, other cast) error
}

// within is an order by something that one has at a time.
func within(by string, with func(c cast, f func() error) error) order {
	do := func(c cast, f func()) error { return with(c, func() error { f(); return nil }) }
	return order{by, do, do, func(_, _ cast) error { return nil }}
}

var orders = []order{
	within("Mutex", func(c cast, f func() error) error { return c.Lock.With(background, f) }),
	within("RWMutex", func(c cast, f func() error) error { return c.RW.With(background, f) }),
	within("Semaphore", func(c cast, f func() error) error { return c.Sem.With(background, f) }),
	within("Value", func(c cast, f func() error) error {
		return c.Tally.Update(background, func(*tally) error { return f() })
	}),
	within("Slice", func(c cast, f func() error) error {
		return c.Slice.Update(background, func([]int64) error { return f() })
	}),
	within("Cond", func(c cast, f func() error) error {
		return c.Cond.When(background, func() bool { return true }, f)
	}),
	{"RWMutex, a reader",
		func(c cast, f func()) error {
			return c.RW.With(background, func() error { f(); return nil })
		},
		func(c cast, f func()) error {
			return c.RW.RWith(background, func() error { f(); return nil })
		},
		func(_, _ cast) error { return nil },
	},
	{"Event",
		func(c cast, f func()) error { f(); return c.Event.Set() },
		func(c cast, f func()) error { defer f(); return c.Event.Wait(background) },
		func(_, other cast) error { return other.Event.Set() },
	},
	{"Event, looked at",
		func(c cast, f func()) error { f(); return c.Event.Set() },
		func(c cast, f func()) error {
			for !c.Event.IsSet() {
			}
			f()
			return nil
		},
		func(_, other cast) error { return other.Event.Set() },
	},
	{"WaitGroup",
		func(c cast, f func()) error { f(); return c.Group.Done() },
		func(c cast, f func()) error { defer f(); return c.Group.Wait(background) },
		func(_, other cast) error { return other.Group.Done() },
	},
	{"Once",
		func(c cast, f func()) error { return c.Once.Do(background, func() error { f(); return nil }) },
		func(c cast, f func()) error {
			defer f()
			return c.Once.Do(background, func() error { return nil })
		},
		func(_, _ cast) error { return nil },
	},
	{"Barrier",
		func(c cast, f func()) error { f(); _, err := c.Meet.Wait(background); return err },
		func(c cast, f func()) error { defer f(); _, err := c.Meet.Wait(background); return err },
		func(one, other cast) error { return errors.Join(one.Meet.Abort(), other.Meet.Abort()) },
	},
	{"Atomic",
		func(c cast, f func()) error { f(); c.Num.Store(1); return nil },
		func(c cast, f func()) error {
			for c.Num.Load() == 0 {
			}
			f()
			return nil
		},
		func(_, other cast) error { other.Num.Store(1); return nil },
	},
	{"Queue",
		func(c cast, f func()) error { f(); return c.Words.Put(background, "") },
		func(c cast, f func()) error { defer f(); _, err := c.Words.Get(background); return err },
		func(_, other cast) error { return other.Words.Put(background, "") },
	},
	{"Pipe",
		func(c cast, f func()) error { f(); return c.Bell.Send(background, call{}) },
		func(c cast, f func()) error { defer f(); _, err := c.Phone.Recv(background); return err },
		func(_, other cast) error { return other.Bell.Send(background, call{}) },
	},
	{"Pipe, with a long value",
		func(c cast, f func()) error {
			f()
			return c.Bell.Send(background, call{Text: strings.Repeat("x", 100_000)})
		},
		func(c cast, f func()) error { defer f(); _, err := c.Phone.Recv(background); return err },
		func(_, other cast) error { return other.Bell.Send(background, call{}) },
	},
}

func ordered(t *testing.T) cast {
	c := newCond(t)
	c.Tally, c.Event, c.Ready = newTally(t), newEvent(t), newEvent(t)
	c.Sem, c.RW, c.Meet = newSemaphore(t, 1), newRWMutex(t), newBarrier(t, 2)
	c.Once, c.Group, c.Num, c.Slice = newOnce(t), newGroup(t), newAtomic[int64](t, 0), newSlice[int64](t, 1)
	c.Words = open[*shared.Queue[string]](t)(shared.NewQueue[string](1))
	c.Bell, c.Phone = newPhone(t)
	if err := c.Group.Add(1); err != nil {
		t.Fatal(err)
	}
	return c
}

// run has two goroutines count on the heap, the first with the things in one, the second
// with those in other.
func (o order) run(t *testing.T, one, other cast) {
	n := 0
	count := func() { n++ }
	var errs [2]error
	var group sync.WaitGroup
	group.Go(func() { errs[0] = o.first(one, count) })
	group.Go(func() { errs[1] = o.second(other, count) })
	group.Wait()
	if err := errors.Join(errs[:]...); err != nil && !errors.Is(err, shared.ErrBrokenBarrier) {
		t.Error(err)
	}
}

// wrong in the environment names the order that TestOrdersWrong gets wrong.
const wrong = "SHARED_TEST_WRONG"

// TestOrders: what every thing puts in order, the race detector knows to be.
func TestOrders(t *testing.T) {
	for _, o := range orders {
		t.Run(o.by, func(t *testing.T) {
			for range 50 {
				c := ordered(t)
				o.run(t, c, c)
			}
		})
	}
}

// TestOrdersWrong: and what two different ones do not, it reports.
func TestOrdersWrong(t *testing.T) {
	if name := os.Getenv(wrong); name != "" {
		for _, o := range orders {
			if o.by == name {
				one, other := ordered(t), ordered(t)
				if err := o.prepare(one, other); err != nil {
					t.Fatal(err)
				}
				o.run(t, one, other)
			}
		}
		return
	}
	if !lock.Shadowed {
		t.Skip("not a race build")
	}
	for _, o := range orders {
		t.Run(o.by, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestOrdersWrong$", "-test.count=1")
			cmd.Env = append(os.Environ(), fmt.Sprint(wrong, "=", o.by))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "DATA RACE") {
				t.Errorf("no race is reported: %v\n%s", err, out)
			}
		})
	}
}
