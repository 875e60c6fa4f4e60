package coroutine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

func TestCancel(t *testing.T) {
	hour := func(ctx context.Context) (int, error) { return 0, coroutine.Sleep(ctx, time.Hour) }
	for _, tc := range []struct {
		name  string
		takes time.Duration
		main  func(ctx context.Context) error
		want  error
	}{
		{"before the first turn", 0, func(ctx context.Context) error {
			task := coroutine.Go(ctx, "", func(context.Context) (int, error) { panic("began") })
			task.Cancel()
			return coroutine.Await(ctx, task)
		}, context.Canceled},
		{"while it sleeps", 0, func(ctx context.Context) error {
			task := coroutine.Go(ctx, "", hour)
			coroutine.Yield(ctx)
			task.Cancel()
			task.Cancel()
			return coroutine.Await(ctx, task)
		}, context.Canceled},
		{"while it waits for another, which goes on", time.Hour, func(ctx context.Context) error {
			slow := coroutine.Go(ctx, "", hour)
			waits := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) { return slow.Wait(ctx) })
			coroutine.Yield(ctx)
			waits.Cancel()
			if _, err := waits.Wait(ctx); err != context.Canceled {
				return fmt.Errorf("waits ended with %w", err)
			}
			return coroutine.Await(ctx, slow)
		}, nil},
		{"and its children", 0, func(ctx context.Context) error {
			var child *coroutine.Task[int]
			parent := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) {
				child = coroutine.Go(ctx, "", hour)
				return 0, nil // has returned when it is cancelled
			})
			parent.Wait(ctx)
			coroutine.Yield(ctx)
			parent.Cancel()
			return coroutine.Await(ctx, child)
		}, context.Canceled},
		{"a parent that returns does not", time.Hour, func(ctx context.Context) error {
			var child *coroutine.Task[int]
			parent := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) {
				child = coroutine.Go(ctx, "", hour)
				return 0, nil
			})
			parent.Wait(ctx)
			return coroutine.Await(ctx, child)
		}, nil},
		{"by a context of the caller's", 0, func(ctx context.Context) error {
			mine, cancel := context.WithCancelCause(ctx)
			task := coroutine.Go(mine, "", func(ctx context.Context) (int, error) {
				return coroutine.Go(ctx, "", hour).Wait(context.WithoutCancel(ctx))
			})
			coroutine.Yield(ctx)
			coroutine.Yield(ctx)
			cancel(errBody)
			return coroutine.Await(ctx, task)
		}, errBody},
		{"of a wait alone", time.Hour, func(ctx context.Context) error {
			mine, cancel := context.WithCancelCause(ctx)
			task := coroutine.Go(ctx, "", hour)
			coroutine.Go(ctx, "", func(context.Context) (int, error) { cancel(errBody); return 0, nil })
			if _, err := task.Wait(mine); err != errBody {
				return fmt.Errorf("wait ended with %w", err)
			}
			return coroutine.Await(ctx, task)
		}, nil},
		{"does not reach a shielded wait", time.Hour, func(ctx context.Context) error {
			task := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) { return hour(context.WithoutCancel(ctx)) })
			coroutine.Yield(ctx)
			task.Cancel()
			return coroutine.Await(ctx, task)
		}, nil},
		{"may be ignored", 0, func(ctx context.Context) error {
			task := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) { hour(ctx); return 0, nil })
			coroutine.Yield(ctx)
			task.Cancel()
			return coroutine.Await(ctx, task)
		}, nil},
		{"after the end does nothing", 0, func(ctx context.Context) error {
			task := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) { return 0, nil })
			task.Wait(ctx)
			task.Cancel()
			return coroutine.Await(ctx, task)
		}, nil},
		{"a settled task beats a cancelled context", 0, func(ctx context.Context) error {
			task := coroutine.Go(ctx, "", func(ctx context.Context) (int, error) { return 0, errBody })
			coroutine.Yield(ctx)
			gone, cancel := context.WithCancel(ctx)
			cancel()
			return coroutine.Await(gone, task)
		}, errBody},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := bubble(t, tc.takes, tc.main); err != tc.want {
				t.Errorf("Run = %v, want %v", err, tc.want)
			}
		})
	}
}

// Every wait gives up at once when its context has ended, and whoever waits
// under Run's context gives up when that one ends.
func TestCancelOfEveryWait(t *testing.T) {
	waits := map[string]func(ctx context.Context) error{
		"Sleep": func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Hour) },
		"Yield": func(ctx context.Context) error {
			for {
				if err := coroutine.Yield(ctx); err != nil {
					return err
				}
			}
		},
		"Await":     func(ctx context.Context) error { return coroutine.Await(ctx, newFuture()) },
		"AwaitChan": func(ctx context.Context) error { _, _, err := coroutine.AwaitChan(ctx, make(chan int)); return err },
		"Wait": func(ctx context.Context) error {
			endless := coroutine.Go(context.WithoutCancel(ctx), "", func(inner context.Context) (none, error) {
				return none{}, coroutine.Await(inner, newFuture())
			})
			defer endless.Cancel()
			_, err := endless.Wait(ctx)
			return err
		},
		"Gather": func(ctx context.Context) error {
			_, err := coroutine.Gather(ctx, func(ctx context.Context) (none, error) { return none{}, coroutine.Sleep(ctx, time.Hour) })
			return err
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			err := coroutine.Run(ctx, func(ctx context.Context) error {
				coroutine.Go(ctx, "", func(context.Context) (none, error) { cancel(errBody); return none{}, nil })
				if err := wait(ctx); err != errBody {
					t.Errorf("the wait returned %v, want the cause", err)
				}
				return wait(ctx) // the context has ended already
			})
			if err != errBody {
				t.Errorf("Run = %v, want the cause", err)
			}
		})
	}
}

// halfway is a context that ends, but tells only the last of those who asked to
// be told, as one is seen by a goroutine that looks while the news spreads.
type halfway struct {
	context.Context
	done chan struct{}
	mu   sync.Mutex
	last func()
}

func (h *halfway) Done() <-chan struct{} { return h.done }

func (h *halfway) Err() error {
	select {
	case <-h.done:
		return context.Canceled
	default:
		return nil
	}
}

func (h *halfway) AfterFunc(f func()) (stop func() bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = f
	return func() bool { return true }
}

// A cancel from outside reaches all waits below, however far the contexts have
// got when the loop hears of it.
func TestCancelHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		half := &halfway{Context: t.Context(), done: make(chan struct{})}
		begin := time.Now()
		time.AfterFunc(time.Second, func() {
			close(half.done)
			half.mu.Lock()
			defer half.mu.Unlock()
			half.last()
		})
		err := coroutine.Run(half, func(ctx context.Context) error {
			hour := func(ctx context.Context) (none, error) { return none{}, coroutine.Sleep(ctx, time.Hour) }
			return coroutine.Await(context.WithoutCancel(ctx), coroutine.Go(ctx, "", hour))
		})
		if took := time.Since(begin); err != context.Canceled || took != time.Second {
			t.Errorf("Run = %v after %v, want context.Canceled after 1s", err, took)
		}
	})
}
