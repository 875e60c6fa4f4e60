package coroutine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

// circle makes two coroutines that wait for each other under the contexts
// that shield makes of theirs.
func circle(ctx context.Context, shield func(context.Context) context.Context, log *[]string) (a, b *coroutine.Task[int]) {
	a = coroutine.Go(ctx, "a", func(ctx context.Context) (int, error) {
		defer func() { *log = append(*log, "a cleaned up") }()
		return b.Wait(shield(ctx))
	})
	b = coroutine.Go(ctx, "b", func(ctx context.Context) (int, error) {
		defer func() { *log = append(*log, "b cleaned up") }()
		return a.Wait(shield(ctx))
	})
	return a, b
}

func same(ctx context.Context) context.Context { return ctx }

func TestAllAsleep(t *testing.T) {
	const inACircle = "tandem: loop: all asleep: main waits for coroutine a; a waits for coroutine b; b waits for coroutine a; break the circle, or bound a wait by WithTimeout"
	for _, tc := range []struct {
		name string
		main func(ctx context.Context, log *[]string) error
		want string
		log  string
	}{
		{"a circle", func(ctx context.Context, log *[]string) error {
			a, _ := circle(ctx, same, log)
			return coroutine.Await(ctx, a)
		}, inACircle, "a cleaned up, b cleaned up"},
		{"waits that no cancel reaches", func(ctx context.Context, log *[]string) error {
			a, _ := circle(ctx, context.WithoutCancel, log)
			return coroutine.Await(context.WithoutCancel(ctx), a)
		}, inACircle, "a cleaned up, b cleaned up"},
		{"main alone", func(ctx context.Context, log *[]string) error {
			_, _, err := coroutine.AwaitChan[int](ctx, nil)
			return err
		}, "tandem: loop: all asleep: main waits for a nil channel; break the circle, or bound a wait by WithTimeout", ""},
		{"a future that never settles", func(ctx context.Context, log *[]string) error {
			return coroutine.Await(ctx, &future{})
		}, "tandem: loop: all asleep: main waits for a *coroutine_test.future, which never settles; break the circle, or bound a wait by WithTimeout", ""},
		{"main does not pass it on", func(ctx context.Context, log *[]string) error {
			a, _ := circle(ctx, same, log)
			coroutine.Await(ctx, a)
			return errBody
		}, "body failed\n" + inACircle, "a cleaned up, b cleaned up"},
		{"clean-up may wait", func(ctx context.Context, log *[]string) error {
			a, _ := circle(ctx, same, log)
			err := coroutine.Await(ctx, a)
			coroutine.Sleep(context.WithoutCancel(ctx), time.Millisecond)
			*log = append(*log, "main cleaned up")
			return err
		}, inACircle, "a cleaned up, b cleaned up, main cleaned up"},
		{"the deadline of Run's context does not count", func(ctx context.Context, log *[]string) error {
			a, _ := circle(ctx, same, log)
			return coroutine.Await(ctx, a)
		}, inACircle, "a cleaned up, b cleaned up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			ctx := t.Context()
			if strings.Contains(tc.name, "deadline") {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Hour)
				defer cancel()
			}
			var log []string
			err := coroutine.Run(ctx, func(ctx context.Context) error { return tc.main(ctx, &log) })
			if _, ok := errors.AsType[*coroutine.AsleepError](err); !ok || err.Error() != tc.want {
				t.Errorf("Run = %v\nwant  %s", err, tc.want)
			}
			if got := strings.Join(log, ", "); got != tc.log {
				t.Errorf("log %q, want %q", got, tc.log)
			}
		})
	}
}

// What will still happen is not sleep for good.
func TestNotAsleep(t *testing.T) {
	for _, tc := range []struct {
		name string
		main func(ctx context.Context, a *coroutine.Task[int]) error
		want string
	}{
		{"a timeout", func(ctx context.Context, a *coroutine.Task[int]) error {
			return coroutine.WithTimeout(ctx, time.Second, func(ctx context.Context) error { return coroutine.Await(ctx, a) })
		}, "not done after 1s"},
		{"a sleeper", func(ctx context.Context, a *coroutine.Task[int]) error {
			return errors.Join(coroutine.Sleep(ctx, time.Second), errBody)
		}, errBody.Error()},
		{"someone outside", func(ctx context.Context, a *coroutine.Task[int]) error {
			_, err := coroutine.Blocking(ctx, func() (int, error) { time.Sleep(time.Second); return 0, errBody })
			return err
		}, errBody.Error()},
		{"a context that has ended", func(ctx context.Context, a *coroutine.Task[int]) error {
			mine, cancel := context.WithCancelCause(ctx)
			waits := coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
				time.Sleep(time.Second) // in a bubble: nobody else can go on
				cancel(errBody)
				_, err := a.Wait(ctx)
				return none{}, err
			})
			err := coroutine.Await(mine, a)
			waits.Cancel()
			return err
		}, errBody.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log []string
			err := bubble(t, time.Second, func(ctx context.Context) error {
				a, b := circle(ctx, same, &log)
				err := tc.main(ctx, a)
				a.Cancel()
				b.Cancel()
				return err
			})
			wantText(t, "Run", fmt.Sprint(err), tc.want)
			if _, ok := errors.AsType[*coroutine.AsleepError](err); ok {
				t.Errorf("Run = %v, want no AsleepError", err)
			}
		})
	}
}

func TestAsleepErrorIsBounded(t *testing.T) {
	noLeak(t)
	err := coroutine.Run(t.Context(), func(ctx context.Context) error {
		var fs []func(context.Context) (none, error)
		for range 100 {
			fs = append(fs, func(ctx context.Context) (none, error) {
				_, _, err := coroutine.AwaitChan[int](ctx, nil)
				return none{}, err
			})
		}
		_, err := coroutine.Gather(ctx, fs...)
		return err
	})
	asleep, ok := errors.AsType[*coroutine.AsleepError](err)
	if !ok || len(asleep.Waits) != 101 {
		t.Fatalf("Run = %v, want 101 that wait", err)
	}
	if n := strings.Count(err.Error(), "waits for"); n != 20 || !strings.Contains(err.Error(), "; and more; ") {
		t.Errorf("%d named in %v, want 20 and more", n, err)
	}
}

// A deferred call that waits while it is unwound by force unwinds further.
func TestUnwoundWhileItCleansUp(t *testing.T) {
	noLeak(t)
	cleaned := false
	err := coroutine.Run(t.Context(), func(ctx context.Context) error {
		defer func() { cleaned = true }()
		defer coroutine.Sleep(context.WithoutCancel(ctx), time.Hour)
		return coroutine.Await(context.WithoutCancel(ctx), &future{})
	})
	if _, ok := errors.AsType[*coroutine.AsleepError](err); !ok || !cleaned {
		t.Errorf("Run = %v, cleaned up: %v", err, cleaned)
	}
}
