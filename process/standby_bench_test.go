package process_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem/process"
)

// BenchmarkStandby is process.Start to the result: back to back, in bursts of as many
// as wait, which are booted again outside the timer; after each of them has idled for
// 20 ms; and cold, without a standby.
func BenchmarkStandby(b *testing.B) {
	ctx := context.Background()
	start := func(b *testing.B, cfg process.Config, n int) time.Duration {
		begun := time.Now()
		h, err := process.Start(ctx, cfg, double, n)
		if err == nil {
			var got int
			if got, err = h.Result(ctx); err == nil && got != 2*n {
				err = fmt.Errorf("double of %d is %d", n, got)
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	report := func(b *testing.B, took []time.Duration) {
		slices.Sort(took)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
	}
	standby := func(b *testing.B, processes int, pause time.Duration) {
		s := &process.Standby{Processes: processes}
		defer s.Close()
		var took []time.Duration
		for len(took) < b.N {
			if err := s.Start(ctx); err != nil {
				b.Fatal(err)
			}
			for len(process.Children()) > processes { // the exits of the last burst are over
				time.Sleep(time.Millisecond)
			}
			for i := range min(processes, b.N-len(took)) {
				if pause > 0 {
					time.Sleep(pause)
				}
				took = append(took, start(b, process.Config{Standby: s}, i))
			}
		}
		report(b, took)
	}
	b.Run("back to back", func(b *testing.B) { standby(b, 4, 0) })
	b.Run("after 20 ms", func(b *testing.B) { standby(b, 1, 20*time.Millisecond) })
	b.Run("cold", func(b *testing.B) {
		var took []time.Duration
		for i := range b.N {
			took = append(took, start(b, process.Config{}, i))
		}
		report(b, took)
	})
}
