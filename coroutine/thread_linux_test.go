package coroutine_test

import (
	"context"
	"maps"
	"slices"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem/coroutine"
)

// All coroutines of a loop run on the thread of the one who calls Run, also
// after waits for other threads.
func TestOneThread(t *testing.T) {
	noLeak(t)
	threads := map[int]int{}
	var own int
	run(t, func(ctx context.Context) error {
		own = syscall.Gettid()
		fs := make([]func(context.Context) (none, error), 1000)
		for i := range fs {
			fs[i] = func(ctx context.Context) (none, error) {
				threads[syscall.Gettid()]++
				if i%100 == 0 {
					coroutine.Blocking(ctx, func() (none, error) { return none{}, nil })
				}
				coroutine.Yield(ctx)
				threads[syscall.Gettid()]++
				return none{}, nil
			}
		}
		_, err := coroutine.Gather(ctx, fs...)
		return err
	})
	if len(threads) != 1 || threads[own] != 2000 {
		t.Errorf("threads %v, want only %d", slices.Collect(maps.Keys(threads)), own)
	}
}
