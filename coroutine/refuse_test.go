package coroutine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tandem-go/tandem/coroutine"
)

func TestRunRefuses(t *testing.T) {
	noLeak(t)
	ok := func(context.Context) error { return nil }
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errBody)
	var loop coroutine.Loop
	for _, tc := range []struct {
		name string
		run  func() error
		want string
	}{
		{"nil context", func() error { return coroutine.Run(nil, ok) }, "nil context"},
		{"nil main", func() error { return coroutine.Run(t.Context(), nil) }, "nil function"},
		{"ended context", func() error {
			return coroutine.Run(gone, func(context.Context) error { return errors.New("main ran") })
		}, errBody.Error()},
		{"inside a coroutine", func() error {
			return coroutine.Run(t.Context(), func(ctx context.Context) error { return coroutine.Run(ctx, ok) })
		}, "would stop its loop"},
		{"twice at once", func() error {
			return loop.Run(t.Context(), func(ctx context.Context) error {
				_, err := coroutine.Blocking(ctx, func() (int, error) { return 0, loop.Run(ctx, ok) })
				return err
			})
		}, "runs already"},
	} {
		err := tc.run()
		if err == nil {
			t.Errorf("%s: Run = nil", tc.name)
			continue
		}
		wantText(t, tc.name, err.Error(), tc.want)
	}
	for range 2 {
		if err := loop.Run(t.Context(), ok); err != nil {
			t.Errorf("Run again = %v", err)
		}
	}
	err := coroutine.Run(t.Context(), func(ctx context.Context) error {
		_, err := coroutine.Blocking(ctx, func() (int, error) { return 0, coroutine.Run(ctx, ok) })
		return err
	})
	if err != nil {
		t.Errorf("a loop of its own in a blocking call: %v", err)
	}
}

func TestWrongContext(t *testing.T) {
	noLeak(t)
	var kept context.Context
	run(t, func(ctx context.Context) error {
		kept = ctx
		wantText(t, "waits for itself", waitsForItself(ctx), "waits for itself")
		other := coroutine.Go(ctx, "other", func(mine context.Context) (none, error) {
			wantText(t, "main's context in another", panicOf(func() { coroutine.Yield(ctx) }), "coroutine main, whose turn it is not")
			return none{}, nil
		})
		if _, err := other.Wait(ctx); err != nil {
			return err
		}
		_, err := coroutine.Blocking(ctx, func() (none, error) {
			wantText(t, "another goroutine", panicOf(func() { coroutine.Sleep(ctx, 1) }), "whose turn it is not")
			return none{}, nil
		})
		wantText(t, "nil context", panicOf(func() { coroutine.Yield(nil) }), "nil context")
		wantText(t, "nil function", panicOf(func() { coroutine.Go[int](ctx, "", nil) }), "nil function")
		return err
	})
	wantText(t, "after the loop", panicOf(func() { coroutine.Yield(kept) }), "whose turn it is not")
	wantText(t, "no loop", panicOf(func() { coroutine.Yield(t.Context()) }), "outside of a loop")
}

func waitsForItself(ctx context.Context) string {
	var self *coroutine.Task[string]
	self = coroutine.Go(ctx, "", func(ctx context.Context) (string, error) {
		return panicOf(func() { self.Wait(ctx) }), nil
	})
	text, _ := self.Wait(ctx)
	return text
}
