package process_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

type reading struct {
	ID   int
	Name string
	Data []float64
}

var reflects = tandem.NewTask("reflects", func(_ context.Context, r reading) (reading, error) { return r, nil })

// BenchmarkLatency is one caller alone; the median and the tail say more than the
// mean, since a call that finds its worker asleep costs a wake. A program that is bound
// to one CPU (taskset -c 1) has another truth.
func BenchmarkLatency(b *testing.B) {
	b.Run("int", func(b *testing.B) {
		latency(b, double, func(i int) int { return i }, func(i, got int) bool { return got == 2*i })
	})
	b.Run("struct", func(b *testing.B) {
		data := make([]float64, 16)
		latency(b, reflects, func(i int) reading { return reading{i, "a name of some length", data} },
			func(i int, got reading) bool { return got.ID == i && len(got.Data) == len(data) })
	})
}

func latency[In, Out any](b *testing.B, task *tandem.Task[In, Out], in func(int) In, good func(int, Out) bool) {
	pool := &process.Pool{Workers: 1}
	defer pool.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call := task.On(pool)
	for i := range 1000 {
		call.Call(ctx, in(i))
	}
	took := make([]time.Duration, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		begun := time.Now()
		if got, err := call.Call(ctx, in(n)); err != nil || !good(n, got) {
			b.Fatalf("call %d: %v, %v", n, got, err)
		}
		took[n] = time.Since(begun)
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2]), "p50-ns")
	b.ReportMetric(float64(took[b.N*99/100]), "p99-ns")
}
