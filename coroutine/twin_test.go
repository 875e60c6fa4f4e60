//go:build tandemdebug || race

package coroutine_test

import (
	"context"
	"testing"

	"github.com/tandem-go/tandem/coroutine"
)

// In a checked build, another goroutine is refused also while the coroutine
// whose context it uses has its turn.
func TestForeignGoroutineIsRefused(t *testing.T) {
	noLeak(t)
	run(t, func(ctx context.Context) error {
		refused := make(chan string)
		go func() { refused <- panicOf(func() { coroutine.Yield(ctx) }) }()
		wantText(t, "Yield", <-refused, "only on the coroutine's own goroutine")
		return nil
	})
	c := coroutine.New(func(y *yielder, _ int) error {
		refused := make(chan string)
		go func() { refused <- panicOf(func() { y.Yield(1) }) }()
		wantText(t, "Yield", <-refused, "only on the coroutine's own goroutine")
		return nil
	})
	c.Next()
}
