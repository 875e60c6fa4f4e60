//go:build linux

package main

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var clockSince = tandem.NewTask("clock since boot", func(context.Context, struct{}) (time.Duration, error) { return sinceBoot() })

func sinceBoot() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return time.Duration(t.Nano()), err
}

// TestClocksJump: the clocks of successive workers jump, back too.
func TestClocksJump(t *testing.T) {
	defer otherClocks(0)
	for _, by := range []time.Duration{0, 1000 * time.Hour, time.Hour, 2000 * time.Hour} {
		if err := otherClocks(by); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
			t.Skip("no time namespaces for this user or on this machine: ", err)
		} else if err != nil {
			t.Fatal(err)
		}
		pool := &process.Pool{Workers: 1}
		before, _ := sinceBoot()
		got, err := clockSince.On(pool).Call(t.Context(), struct{}{})
		if ahead := got - before; err != nil || ahead < by || ahead > by+10*time.Minute {
			t.Errorf("the worker's clock is %v ahead, %v, want %v", ahead, err, by)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
	var back bool
	for dice := range uint64(100) {
		by := someClocks(dice * 0x9e3779b97f4a7c15)
		if by < 0 || by > 10_000_000*time.Second {
			t.Errorf("an offset of %v", by)
		}
		back = back || by < someClocks((dice+1)*0x9e3779b97f4a7c15)
	}
	if !back {
		t.Error("no clock is behind one before")
	}
}

// TestScheduleRepeats: a seed is one sequence of disturbances, another is another, and
// each kind comes as often as it should.
func TestScheduleRepeats(t *testing.T) {
	take := func(seed uint64, count int) (list []event) {
		for e := range schedule(seed) {
			if list = append(list, e); len(list) == count {
				break
			}
		}
		return list
	}
	const count = 20_000
	one := take(7, count)
	if !slices.Equal(one, take(7, count)) {
		t.Error("a seed has two schedules")
	}
	if slices.Equal(one, take(8, count)) {
		t.Error("two seeds have the same schedule")
	}
	weights := 0
	for _, k := range kinds {
		weights += k.weight
	}
	for _, k := range kinds {
		came, want := 0, float64(count*k.weight)/float64(weights)
		for _, e := range one {
			if e.what == k.what {
				came++
			}
		}
		if float64(came) < want/2 || float64(came) > 2*want {
			t.Errorf("%s came %d times, want about %.0f", k.what, came, want)
		}
	}
}
