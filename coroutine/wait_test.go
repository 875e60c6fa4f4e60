package coroutine_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

// bubble runs main on a loop where time is not real, checks that it took as
// long as it should, and returns Run's error.
func bubble(t *testing.T, takes time.Duration, main func(ctx context.Context) error) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err = coroutine.Run(t.Context(), main)
		if took := time.Since(begin); took != takes {
			t.Errorf("took %v, want %v", took, takes)
		}
	})
	return err
}

func TestSleepOrder(t *testing.T) {
	ms := time.Millisecond
	for _, tc := range []struct {
		name   string
		sleeps []time.Duration
		want   []int
	}{
		{"shortest first", []time.Duration{30 * ms, 10 * ms, 20 * ms}, []int{1, 2, 0}},
		{"equal ones in their order", []time.Duration{20 * ms, 10 * ms, 20 * ms, 10 * ms}, []int{1, 3, 0, 2}},
		{"none and negative are turns", []time.Duration{10 * ms, 0, -ms}, []int{1, 2, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []int
			err := bubble(t, slices.Max(tc.sleeps), func(ctx context.Context) error {
				var fs []func(context.Context) (none, error)
				for i, d := range tc.sleeps {
					fs = append(fs, func(ctx context.Context) (none, error) {
						err := coroutine.Sleep(ctx, d)
						got = append(got, i)
						return none{}, err
					})
				}
				_, err := coroutine.Gather(ctx, fs...)
				return err
			})
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("%v, order %v, want %v", err, got, tc.want)
			}
		})
	}
}

// A busy loop still wakes those who sleep.
func TestSleepBesideBusyOnes(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		slept := coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
			return none{}, coroutine.Sleep(ctx, time.Millisecond)
		})
		<-yieldUntil(ctx, slept)
		return slept.Err()
	})
}

// A sleep that was cancelled does not wake anyone later.
func TestCancelledSleepLeavesNothing(t *testing.T) {
	err := bubble(t, 3*time.Second, func(ctx context.Context) error {
		mine, cancel := context.WithCancelCause(ctx)
		coroutine.Go(ctx, "", func(context.Context) (none, error) { cancel(errBody); return none{}, nil })
		if err := coroutine.Sleep(mine, time.Second); err != errBody {
			t.Errorf("cancelled Sleep = %v", err)
		}
		v, err := coroutine.Blocking(ctx, func() (int, error) { time.Sleep(3 * time.Second); return 7, nil })
		if v != 7 {
			t.Errorf("the next wait gave %d, want 7", v)
		}
		return err
	})
	if err != nil {
		t.Errorf("Run = %v", err)
	}
}

// The context of a coroutine ends when it and all it has started have ended.
func TestContextEndsWithItsWork(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		var its context.Context
		var child *coroutine.Task[none]
		parent := coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
			its = ctx
			child = coroutine.Go(ctx, "", func(ctx context.Context) (none, error) { return none{}, coroutine.Yield(ctx) })
			return none{}, nil
		})
		parent.Wait(ctx)
		if its.Err() != nil {
			t.Errorf("it ended before the child: %v", its.Err())
		}
		_, err := child.Wait(ctx)
		if its.Err() == nil {
			t.Error("it did not end with the child")
		}
		return err
	})
}
