package coroutine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

func TestGather(t *testing.T) {
	second := errors.New("second")
	after := func(d time.Duration, v int, err error) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			if err := coroutine.Sleep(ctx, d); err != nil {
				return -1, err
			}
			return v, err
		}
	}
	stubborn := func(ctx context.Context) (int, error) {
		coroutine.Sleep(context.WithoutCancel(ctx), 3*time.Second)
		return 3, second
	}
	for _, tc := range []struct {
		name  string
		takes time.Duration
		fs    []func(context.Context) (int, error)
		outs  []int
		want  string
	}{
		{"nothing", 0, nil, []int{}, "<nil>"},
		{"all in their order", 2 * time.Second, []func(context.Context) (int, error){after(2*time.Second, 1, nil), after(time.Second, 2, nil)}, []int{1, 2}, "<nil>"},
		{"the first error cancels the others", time.Second, []func(context.Context) (int, error){after(time.Hour, 1, nil), after(time.Second, 2, errBody)}, []int{-1, 2}, "body failed"},
		{"and waits until they have ended", 3 * time.Second, []func(context.Context) (int, error){stubborn, after(time.Second, 2, errBody)}, []int{3, 2}, "body failed\nsecond"},
		{"an error at once cancels those not begun", 0, []func(context.Context) (int, error){after(0, 1, errBody), after(time.Hour, 2, nil)}, []int{1, -1}, "body failed"},
		{"a panic is an error", time.Second, []func(context.Context) (int, error){after(time.Hour, 1, nil), func(ctx context.Context) (int, error) {
			coroutine.Sleep(ctx, time.Second)
			panic("lost")
		}}, []int{-1, 0}, "tandem: task panicked: lost"},
		{"nested", time.Second, []func(context.Context) (int, error){after(time.Hour, 1, nil), func(ctx context.Context) (int, error) {
			outs, err := coroutine.Gather(ctx, after(time.Hour, 1, nil), after(time.Second, 2, errBody))
			return len(outs), err
		}}, []int{-1, 2}, "body failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := bubble(t, tc.takes, func(ctx context.Context) error {
				outs, err := coroutine.Gather(ctx, tc.fs...)
				if got := fmt.Sprint(err); !slices.Equal(outs, tc.outs) || got != tc.want {
					t.Errorf("Gather = %v, %s; want %v, %s", outs, got, tc.outs, tc.want)
				}
				return nil
			})
			if err != nil {
				t.Errorf("Run = %v: Gather has returned all errors already", err)
			}
		})
	}
}

// A cancel from outside reaches all of a group, and Gather returns its cause
// when they have ended.
func TestGatherCancelled(t *testing.T) {
	ended := 0
	err := bubble(t, 2*time.Second, func(ctx context.Context) error {
		slow := func(ctx context.Context) (none, error) {
			err := coroutine.Sleep(ctx, time.Hour)
			coroutine.Sleep(context.WithoutCancel(ctx), time.Second)
			ended++
			return none{}, err
		}
		group := coroutine.Go(ctx, "", func(ctx context.Context) ([]none, error) { return coroutine.Gather(ctx, slow, slow) })
		coroutine.Sleep(ctx, time.Second)
		group.Cancel()
		return coroutine.Await(ctx, group)
	})
	if err != context.Canceled || ended != 2 {
		t.Errorf("Run = %v with %d ended, want context.Canceled with 2", err, ended)
	}
}

func TestWithTimeout(t *testing.T) {
	for _, tc := range []struct {
		name  string
		takes time.Duration
		main  func(ctx context.Context) error
		want  error
	}{
		{"passes", time.Second, func(ctx context.Context) error {
			return coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Hour) })
		}, errTimeout},
		{"is not reached", time.Second, func(ctx context.Context) error {
			return coroutine.WithTimeout(ctx, time.Hour, func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Second) })
		}, nil},
		{"none at all", 0, func(ctx context.Context) error {
			return coroutine.WithTimeout(ctx, 0, func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Second) })
		}, errTimeout},
		{"a foreign cancel is not a timeout", time.Second, func(ctx context.Context) error {
			mine, cancel := context.WithCancelCause(ctx)
			coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
				defer cancel(errBody)
				return none{}, coroutine.Sleep(ctx, time.Second)
			})
			return coroutine.WithTimeout(mine, time.Hour, func(ctx context.Context) error { return coroutine.Sleep(ctx, 2*time.Hour) })
		}, errBody},
		{"waits until what it ends has ended", 3 * time.Second, func(ctx context.Context) error {
			return coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error {
				err := coroutine.Sleep(ctx, time.Hour)
				coroutine.Sleep(context.WithoutCancel(ctx), 2*time.Second)
				return err
			})
		}, errTimeout},
		{"swallowed by its function", time.Second, func(ctx context.Context) error {
			return coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error {
				coroutine.Sleep(ctx, time.Hour)
				return nil
			})
		}, nil},
		{"its context ends with it, main's does not", 2 * time.Second, func(ctx context.Context) error {
			coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Hour) })
			return coroutine.Sleep(ctx, time.Second)
		}, nil},
		{"a coroutine started in it ends with it", 0, func(ctx context.Context) error {
			var child *coroutine.Task[none]
			coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error {
				child = coroutine.Go(ctx, "", func(ctx context.Context) (none, error) { return none{}, coroutine.Sleep(ctx, time.Hour) })
				return coroutine.Yield(ctx)
			})
			return coroutine.Await(ctx, child)
		}, context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := bubble(t, tc.takes, tc.main); !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("Run = %v, want %v", err, tc.want)
			}
		})
	}
}

// Of two nested timeouts the error tells which has passed.
func TestNestedTimeouts(t *testing.T) {
	err := bubble(t, time.Second, func(ctx context.Context) error {
		return coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error {
			return coroutine.WithTimeout(ctx, time.Minute, func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Hour) })
		})
	})
	wantText(t, "Run", fmt.Sprint(err), "not done after 1s")
}
