package process_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem/process"
)

// BenchmarkLatency is one caller alone; the median and the tail say more than the
// mean, since a call that finds its worker asleep costs a wake.
func BenchmarkLatency(b *testing.B) {
	pool := &process.Pool{Workers: 1}
	defer pool.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call := double.On(pool)
	for i := range 1000 {
		call.Call(ctx, i)
	}
	took := make([]time.Duration, b.N)
	b.ReportAllocs()
	for n := range b.N {
		begun := time.Now()
		if got, err := call.Call(ctx, n); err != nil || got != 2*n {
			b.Fatalf("double of %d: %d, %v", n, got, err)
		}
		took[n] = time.Since(begun)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2]), "p50-ns")
	b.ReportMetric(float64(took[b.N*99/100]), "p99-ns")
}
