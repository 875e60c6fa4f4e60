package process_test

import (
	"context"
	"errors"
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
// than a plain loop, by Map and by All, with as many items as take the loop so long.
func BenchmarkSpeedup(b *testing.B) {
	const many = 20_000_000
	begun := time.Now()
	loop(many)
	one := float64(time.Since(begun)) / many
	pool := &process.Pool{Workers: 2}
	defer pool.Close()
	if err := pool.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	for _, length := range []time.Duration{time.Microsecond, 10 * time.Microsecond, 100 * time.Microsecond} {
		turns := int(float64(length) / one)
		for _, work := range []time.Duration{10 * time.Millisecond, 200 * time.Millisecond} {
			in := slices.Repeat([]int{turns}, int(work/length))
			b.Run(fmt.Sprintf("%v/%v/Map", length, work), func(b *testing.B) {
				speedUp(b, in, func() (err error) {
					for _, e := range spins.On(pool).Map(b.Context(), slices.Values(in)) {
						err = errors.Join(err, e)
					}
					return err
				})
			})
			b.Run(fmt.Sprintf("%v/%v/All", length, work), func(b *testing.B) {
				speedUp(b, in, func() error {
					_, err := spins.On(pool).All(b.Context(), in)
					return err
				})
			})
		}
	}
}

// speedUp reports the median of what a loop over the items takes and what they take
// together, in turns.
func speedUp(b *testing.B, in []int, together func() error) {
	var times []float64
	for b.Loop() {
		begun := time.Now()
		for _, turns := range in {
			loop(turns)
		}
		alone := time.Since(begun)
		begun = time.Now()
		if err := together(); err != nil {
			b.Fatal(err)
		}
		times = append(times, float64(alone)/float64(time.Since(begun)))
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2], "times")
}
