package process_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// BenchmarkCalls is one call after the other by each of many callers, on two
// workers. For latencies, placements and rivals see bench/.
func BenchmarkCalls(b *testing.B) {
	for _, t := range []process.Transport{process.Auto, process.Sockets} {
		for _, callers := range []int{1, 2, 8, 100} {
			b.Run(fmt.Sprintf("%v/%d callers", t, callers), func(b *testing.B) {
				pool := &process.Pool{Workers: min(2, callers), Transport: t}
				defer pool.Close()
				if err := pool.Start(context.Background()); err != nil {
					b.Fatal(err)
				}
				call := double.On(pool)
				for i := range 1000 {
					call.Call(context.Background(), i)
				}
				var next atomic.Int64
				var all sync.WaitGroup
				b.ReportAllocs()
				b.ResetTimer()
				for range callers {
					all.Go(func() {
						for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
							if got, err := call.Call(context.Background(), n); err != nil || got != 2*n {
								b.Errorf("double of %d: %d, %v", n, got, err)
								return
							}
						}
					})
				}
				all.Wait()
			})
		}
	}
}

// BenchmarkMap is items that cost next to nothing, on two workers, nothing tuned.
func BenchmarkMap(b *testing.B) {
	pool := &process.Pool{Workers: 2}
	defer pool.Close()
	if err := pool.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Run("Map", func(b *testing.B) {
		numbers := func(yield func(int) bool) {
			for i := 0; i < b.N && yield(i); i++ {
			}
		}
		next := 0
		for got, err := range double.On(pool).Map(context.Background(), numbers) {
			if err != nil || got != 2*next {
				b.Fatalf("double of %d: %d, %v", next, got, err)
			}
			next++
		}
		if next != b.N {
			b.Fatalf("%d of %d came back", next, b.N)
		}
	})
}

// spins is a task that takes about as long as its argument says, in turns of a loop.
var spins = tandem.NewTask("spins", func(_ context.Context, turns int) (int, error) { return loop(turns), nil })

//go:noinline
func loop(turns int) (n int) {
	for i := range turns {
		n += i ^ n
	}
	return n
}

// BenchmarkSpeedup is how much sooner two workers have done with items of some length
// than a plain loop.
func BenchmarkSpeedup(b *testing.B) {
	const many = 20_000_000
	begun := time.Now()
	loop(many)
	one := float64(time.Since(begun)) / many
	for _, length := range []time.Duration{time.Microsecond, 10 * time.Microsecond, 100 * time.Microsecond} {
		b.Run(length.String(), func(b *testing.B) {
			pool := &process.Pool{Workers: 2}
			defer pool.Close()
			if err := pool.Start(context.Background()); err != nil {
				b.Fatal(err)
			}
			n := int(float64(length) / one)
			var times []float64
			for b.Loop() {
				items := int(200 * time.Millisecond / length)
				var took [2]time.Duration
				begun := time.Now()
				for range items {
					loop(n)
				}
				took[0] = time.Since(begun)
				begun = time.Now()
				for _, err := range spins.On(pool).Map(context.Background(), func(yield func(int) bool) {
					for i := 0; i < items && yield(n); i++ {
					}
				}) {
					if err != nil {
						b.Fatal(err)
					}
				}
				took[1] = time.Since(begun)
				times = append(times, float64(took[0])/float64(took[1]))
			}
			slices.Sort(times)
			b.ReportMetric(times[len(times)/2], "times")
		})
	}
}
