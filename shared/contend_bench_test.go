//go:build linux

package shared_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

var (
	_ = scene("contend", func(ctx context.Context, c cast) (int, error) {
		for range c.N {
			if err := c.Lock.Lock(ctx); err != nil {
				return 0, err
			}
			c.Lock.Unlock()
		}
		return 0, nil
	})
	// The slice gets, in nanoseconds, what half, 99 of 100, and all of the waits were.
	_ = scene("contend by the clock", func(ctx context.Context, c cast) (int, error) {
		waits := make([]time.Duration, c.N)
		for i := range waits {
			begin := time.Now()
			if err := c.Lock.Lock(ctx); err != nil {
				return 0, err
			}
			waits[i] = time.Since(begin)
			c.Lock.Unlock()
		}
		slices.Sort(waits)
		return 0, c.Slice.Update(ctx, func(p []int64) error {
			for i, at := range []int{len(waits) / 2, len(waits) * 99 / 100, len(waits) - 1} {
				p[i] = max(p[i], int64(waits[at]))
			}
			return nil
		})
	})
)

// BenchmarkContended is a Mutex that two processes want all the time.
func BenchmarkContended(b *testing.B) {
	pool := &process.Pool{Workers: 2}
	defer pool.Close()
	if err := pool.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, role := range []string{"contend", "contend by the clock"} {
		b.Run(role, func(b *testing.B) {
			c := cast{
				Role: role, N: max(b.N/2, 1), Lock: open[*shared.Mutex](b)(shared.NewMutex()),
				Slice: open[*shared.Slice[int64]](b)(shared.NewSlice[int64](3)),
			}
			var list []*tandem.Future[int]
			b.ResetTimer()
			for range 2 {
				list = append(list, act.On(pool).Go(b.Context(), c))
			}
			for _, f := range list {
				if _, err := f.Wait(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			if role == "contend" {
				return
			}
			c.Slice.View(func(p []int64) error {
				for i, name := range []string{"p50-ns", "p99-ns", "longest-ns"} {
					b.ReportMetric(float64(p[i]), name)
				}
				return nil
			})
		})
	}
}
