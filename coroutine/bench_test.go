package coroutine_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/tandem-go/tandem/coroutine"
)

// BenchmarkYield is one round of turns in a loop of n; ns/turn is what counts.
func BenchmarkYield(b *testing.B) {
	for _, n := range []int{2, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			err := coroutine.Run(b.Context(), func(ctx context.Context) error {
				for range n - 1 {
					coroutine.Go(ctx, "", func(ctx context.Context) (none, error) {
						for {
							if err := coroutine.Yield(ctx); err != nil {
								return none{}, err
							}
						}
					})
				}
				for b.Loop() {
					coroutine.Yield(ctx)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/turn")
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkSwitchRivals are what the language has for taking turns.
func BenchmarkSwitchRivals(b *testing.B) {
	b.Run("channel-round-trip", func(b *testing.B) {
		ping, pong := make(chan int), make(chan int)
		go func() {
			defer close(pong)
			for v := range ping {
				pong <- v
			}
		}()
		for b.Loop() {
			ping <- 1
			<-pong
		}
		close(ping)
		<-pong
	})
	b.Run("gosched-of-2", func(b *testing.B) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		stop := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		}()
		for b.Loop() {
			runtime.Gosched()
		}
		close(stop)
		<-ended
	})
}

func BenchmarkCoroutineSend(b *testing.B) {
	c := coroutine.New(func(y *coroutine.Yielder[int, int], v int) error {
		for {
			v = y.Yield(v + 1)
		}
	})
	defer c.Stop()
	for b.Loop() {
		c.Send(1)
	}
}

func BenchmarkCoroutineNewStop(b *testing.B) {
	for b.Loop() {
		c := coroutine.New(func(y *coroutine.Yielder[int, int], v int) error {
			y.Yield(v)
			return nil
		})
		c.Next()
		c.Stop()
	}
}

func BenchmarkGoWait(b *testing.B) {
	err := coroutine.Run(b.Context(), func(ctx context.Context) error {
		for b.Loop() {
			coroutine.Go(ctx, "", func(context.Context) (int, error) { return 1, nil }).Wait(ctx)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkBlocking(b *testing.B) {
	err := coroutine.Run(b.Context(), func(ctx context.Context) error {
		for b.Loop() {
			coroutine.Blocking(ctx, func() (int, error) { return 1, nil })
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
