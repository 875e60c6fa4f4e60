package coroutine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

func TestTaskEndings(t *testing.T) {
	for _, tc := range []struct {
		name   string
		end    func() (int, error)
		is     error
		panics string
	}{
		{"value", func() (int, error) { return 7, nil }, nil, ""},
		{"error", func() (int, error) { return 7, errBody }, errBody, ""},
		{"panic", func() (int, error) { panic("lost") }, nil, "lost"},
		{"panic with an error", func() (int, error) { panic(errBody) }, errBody, errBody.Error()},
		{"Goexit", func() (int, error) { runtime.Goexit(); return 0, nil }, nil, "runtime.Goexit called"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			afterwards := false
			run(t, func(ctx context.Context) error {
				task := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) {
					coroutine.Yield(ctx)
					return tc.end()
				})
				if task.Err() != nil {
					t.Errorf("Err before the end = %v", task.Err())
				}
				v, err := task.Wait(ctx)
				if tc.is == nil && tc.panics == "" && (v != 7 || err != nil) {
					t.Errorf("Wait = %d, %v, want 7", v, err)
				}
				if tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("Wait = %v, want %v", err, tc.is)
				}
				p, ok := errors.AsType[*tandem.PanicError](err)
				if ok != (tc.panics != "") || ok && (p.Value != tc.panics || !strings.Contains(string(p.Stack), "TestTaskEndings")) {
					t.Errorf("Wait = %v, want a PanicError %q with its stack", err, tc.panics)
				}
				if v2, err2 := task.Wait(ctx); v2 != v || err2 != err {
					t.Errorf("second Wait = %v, %v, want the same", v2, err2)
				}
				// The loop goes on.
				_, err = coroutine.Go(ctx, "", func(ctx context.Context) (int, error) { afterwards = true; return 0, nil }).Wait(ctx)
				return err
			})
			if !afterwards {
				t.Error("the loop did not go on")
			}
		})
	}
}

func TestMainEndings(t *testing.T) {
	for _, tc := range []struct {
		name string
		main func(context.Context) error
		want string
	}{
		{"nil", func(context.Context) error { return nil }, "<nil>"},
		{"error", func(context.Context) error { return errBody }, errBody.Error()},
		{"panic", func(context.Context) error { panic("lost") }, "tandem: task panicked: lost"},
		{"Goexit", func(context.Context) error { runtime.Goexit(); return nil }, "tandem: task panicked: runtime.Goexit called"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			if got := fmt.Sprint(coroutine.Run(t.Context(), tc.main)); got != tc.want {
				t.Errorf("Run = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestUnaskedErrors(t *testing.T) {
	fail := func(context.Context) (int, error) { return 0, errBody }
	for _, tc := range []struct {
		name string
		main func(ctx context.Context) error
		want string
	}{
		{"waited for", func(ctx context.Context) error {
			coroutine.Go(ctx, "f", fail).Wait(ctx)
			return nil
		}, "<nil>"},
		{"looked at", func(ctx context.Context) error {
			f := coroutine.Go(ctx, "f", fail)
			<-yieldUntil(ctx, f)
			f.Err()
			return nil
		}, "<nil>"},
		{"awaited", func(ctx context.Context) error {
			coroutine.Await(ctx, coroutine.Go(ctx, "f", fail))
			return nil
		}, "<nil>"},
		{"nobody asked", func(ctx context.Context) error {
			<-yieldUntil(ctx, coroutine.Go(ctx, "f", fail))
			return nil
		}, "tandem: loop: coroutine f failed and nobody asked: body failed"},
		{"nobody asked two, and main failed", func(ctx context.Context) error {
			coroutine.Go(ctx, "f", fail)
			<-yieldUntil(ctx, coroutine.Go(ctx, "g", func(context.Context) (int, error) { panic("lost") }))
			return errors.New("main failed")
		}, "main failed\ntandem: loop: coroutine f failed and nobody asked: body failed\ntandem: loop: coroutine g failed and nobody asked: tandem: task panicked: lost"},
		{"the cause of its cancel is no failure", func(ctx context.Context) error {
			f := coroutine.Go(ctx, "f", func(ctx context.Context) (int, error) { return 0, coroutine.Sleep(ctx, time.Hour) })
			coroutine.Yield(ctx)
			f.Cancel()
			<-yieldUntil(ctx, f)
			return nil
		}, "<nil>"},
		{"another error after a cancel is one", func(ctx context.Context) error {
			coroutine.Go(ctx, "f", func(ctx context.Context) (int, error) {
				coroutine.Sleep(ctx, time.Hour)
				return fail(ctx)
			})
			return coroutine.Yield(ctx)
		}, "tandem: loop: coroutine f failed and nobody asked: body failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			if got := fmt.Sprint(coroutine.Run(t.Context(), tc.main)); got != tc.want {
				t.Errorf("Run = %s\nwant  %s", got, tc.want)
			}
		})
	}
}

// yieldUntil gives turns away until w has settled, without asking how.
func yieldUntil(ctx context.Context, w tandem.Waiter) <-chan struct{} {
	for {
		select {
		case <-w.Done():
			return w.Done()
		default:
			coroutine.Yield(ctx)
		}
	}
}
