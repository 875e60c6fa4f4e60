//go:build linux

package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var (
	collect = tandem.NewTask("collect", func(_ context.Context, n int) ([]int64, error) { return collections(n), nil })
	endless = tandem.NewTask("endless", func(ctx context.Context, _ struct{}) (struct{}, error) {
		<-ctx.Done()
		return struct{}{}, ctx.Err()
	})
	work = tandem.NewTask("work", func(_ context.Context, d time.Duration) (struct{}, error) {
		busy(d)
		return struct{}{}, nil
	})
)

// awake is less than a waiting side of the rings stays awake: who waits for what
// comes after it, spins all the while.
const awake = 20 * time.Microsecond

func busy(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// collections times garbage collections of this process.
func collections(n int) []int64 {
	samples := make([]int64, n)
	for i := range samples {
		begin := time.Now()
		runtime.GC()
		samples[i] = int64(time.Since(begin))
	}
	return samples
}

// collectTandem times collections here or in a worker, beside somebody who
// waits for a call or for its result.
func collectTandem(of string, n int) (samples []int64, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	pool := &process.Pool{Workers: 1, Threads: 2} // one collects, the other waits
	defer pool.Close()
	ended := make(chan error, 1)
	beside := func(f func() error) {
		go func() {
			err := error(nil)
			for err == nil && ctx.Err() == nil {
				err = f()
			}
			ended <- err
		}()
	}
	here := func() error { samples = collections(n); return nil }
	there := func() (err error) {
		samples, err = collect.On(pool).Call(context.Background(), n)
		return err
	}
	if err := pool.Start(ctx); err != nil {
		cancel()
		return nil, err
	}
	measured := here
	switch of {
	case gcHere, gcThere: // a worker always has somebody who waits: its free threads
		beside(func() error { <-ctx.Done(); return nil })
	case gcHereWaits:
		beside(func() error { _, err := endless.On(pool).Call(ctx, struct{}{}); return err })
	case gcHereSpins: // the worker works, this side waits awake
		beside(func() error { _, err := work.On(pool).Call(ctx, awake); return err })
	case gcThereSpins: // this side works, the worker waits awake
		beside(func() error { busy(awake); _, err := work.On(pool).Call(ctx, 0); return err })
	}
	if of == gcThere || of == gcThereSpins {
		measured = there
	}
	err = measured()
	cancel()
	if e := <-ended; err == nil && !errors.Is(e, context.Canceled) {
		err = e
	}
	return samples, err
}
