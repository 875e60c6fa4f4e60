//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// counts is whole when the total is the sum of what each did.
type counts struct {
	Total int64
	By    [counters]int64
}

const counters = 8

func (c *counts) sum() (n int64) {
	for _, by := range c.By {
		n += by
	}
	return n
}

// counting is what the processes of TestCounting work on: in Value or in Slice, whose
// first element is the total.
type counting struct {
	Who     int
	N       int
	Value   *shared.Value[counts]
	Slice   *shared.Slice[int64]
	Done    *shared.Atomic[int64] // Updates that returned to who is killed
	Repairs *shared.Atomic[int64]
}

var countAlong = tandem.NewTask("count along", func(ctx context.Context, c counting) (struct{}, error) {
	for range c.N {
		for {
			err := c.update(ctx)
			if died := (*shared.OwnerDiedError)(nil); errors.As(err, &died) {
				if err := c.repair(ctx); err != nil {
					return struct{}{}, err
				}
				continue
			}
			if err != nil {
				return struct{}{}, err
			}
			break
		}
		if c.Who == 0 {
			c.Done.Add(1)
		}
	}
	return struct{}{}, nil
})

func (c *counting) update(ctx context.Context) error {
	if c.Value != nil {
		return c.Value.Update(ctx, func(x *counts) error { x.Total++; x.By[c.Who]++; return nil })
	}
	return c.Slice.Update(ctx, func(p []int64) error { p[0]++; p[1+c.Who]++; return nil })
}

func (c *counting) repair(ctx context.Context) error {
	if c.Value != nil {
		return c.Value.Repair(ctx, func(x *counts, died *shared.OwnerDiedError) error {
			c.Repairs.Add(1)
			x.Total = x.sum()
			return nil
		})
	}
	return c.Slice.Repair(ctx, func(p []int64, died *shared.OwnerDiedError) error {
		c.Repairs.Add(1)
		x := counts{By: [counters]int64(p[1:])}
		p[0] = x.sum()
		return nil
	})
}

func (c *counting) load(ctx context.Context) (x counts, err error) {
	if c.Value != nil {
		return c.Value.Load(ctx)
	}
	err = c.Slice.Update(ctx, func(p []int64) error {
		x = counts{p[0], [counters]int64(p[1:])}
		return nil
	})
	return x, err
}

// TestCounting: of eight processes that count, nothing is lost; and if one of them is
// killed at random, either nothing is, or the others are told.
func TestCounting(t *testing.T) {
	n, some := 1_000_000, 20_000
	if lock.Shadowed || testing.Short() {
		n, some = some, 5_000
	}
	for _, in := range []string{"Value", "Slice"} {
		t.Run(in, func(t *testing.T) { count(t, in, n, false) })
	}
	for i := range 6 {
		in := []string{"Value", "Slice"}[i%2]
		t.Run(fmt.Sprint(in, " killed ", i/2), func(t *testing.T) { count(t, in, some, true) })
	}
}

func count(t *testing.T, in string, n int, killed bool) {
	ctx := soon(t)
	c := counting{N: n, Done: newAtomic[int64](t, 0), Repairs: newAtomic[int64](t, 0)}
	if in == "Value" {
		c.Value = open[*shared.Value[counts]](t)(shared.NewValue(counts{}))
	} else {
		c.Slice = newSlice[int64](t, 1+counters)
	}
	var all [counters]*process.Handle[struct{}]
	for i := range all {
		c.Who = i
		h, err := process.Start(ctx, process.Config{}, countAlong, c)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = h
		t.Cleanup(func() { h.Process.Kill(); <-h.Done() })
	}
	if killed {
		until(t, "the victim counts", func() bool { return c.Done.Load() > 0 })
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		all[0].Process.Kill()
	}
	for i, h := range all {
		if _, err := h.Wait(ctx); err != nil && !(killed && i == 0) {
			t.Error(err)
		}
	}
	repairs := c.Repairs.Load()
	got, err := c.load(ctx)
	if died := (*shared.OwnerDiedError)(nil); killed && errors.As(err, &died) { // nobody came after its death
		repairs++
		if err = c.repair(ctx); err == nil {
			got, err = c.load(ctx)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if got.Total != got.sum() {
		t.Errorf("silently wrong: the total is %d, the sum %d, after %d repairs", got.Total, got.sum(), repairs)
	}
	for i, by := range got.By {
		done := int64(n)
		if i == 0 && killed {
			if done = c.Done.Load(); by == done+1 {
				done = by // killed after its Update and before it said so
			}
		}
		if by != done {
			t.Errorf("process %d counted %d times, and %d are there", i, done, by)
		}
	}
	if repairs > 1 || repairs == 1 && !killed {
		t.Errorf("%d repairs for at most one death", repairs)
	}
	t.Logf("%d in all, %d repairs", got.Total, repairs)
}
