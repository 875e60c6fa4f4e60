package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/process"
)

const (
	rings   = process.SharedMemory
	sockets = process.Sockets
)

// callsAlone is one caller of one worker: the median of a call and its 99th
// percentile.
func callsAlone(t process.Transport) contender {
	return func(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
		pool := &process.Pool{Workers: 1, Transport: t}
		call := next.On(pool)
		n := 0
		return latency(func() error {
			n++
			got, err := call.Call(ctx, n)
			if err == nil && got != n+1 {
				err = errWrong
			}
			return err
		}), pool.Close, pool.Start(ctx)
	}
}

// pipeAlone is the same over two pipes to a child that answers.
func pipeAlone(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
	p, err := startPeer(ctx)
	if err != nil {
		return nil, nil, err
	}
	n := uint64(0)
	return latency(func() error {
		n++
		got, err := p.next(n)
		if err == nil && got != n+1 {
			err = errWrong
		}
		return err
	}), p.Close, nil
}

func latency(call func() error) func(time.Duration) ([]float64, error) {
	return func(d time.Duration) ([]float64, error) {
		took, err := repeat(d, call)
		if err != nil {
			return nil, err
		}
		return []float64{quantile(took, 0.5), quantile(took, 0.99)}, nil
	}
}

// callsBy is so many goroutines that call a pool of one worker for each usable
// processor: calls in a second.
func callsBy(callers int, t process.Transport) contender {
	return func(ctx context.Context) (func(time.Duration) ([]float64, error), func() error, error) {
		pool := &process.Pool{Transport: t}
		call := next.On(pool)
		round := func(d time.Duration) ([]float64, error) {
			var (
				all    sync.WaitGroup
				over   atomic.Bool
				count  atomic.Int64
				failed atomic.Pointer[error]
			)
			begin := time.Now()
			defer time.AfterFunc(d, func() { over.Store(true) }).Stop()
			for c := range callers {
				all.Go(func() {
					n := 0
					for ; n == 0 || !over.Load(); n++ {
						got, err := call.Call(ctx, n+c)
						if err == nil && got != n+c+1 {
							err = errWrong
						}
						if err != nil {
							failed.Store(&err)
							return
						}
					}
					count.Add(int64(n))
				})
			}
			all.Wait()
			if err := failed.Load(); err != nil {
				return nil, *err
			}
			return []float64{float64(count.Load()) / time.Since(begin).Seconds()}, nil
		}
		return round, pool.Close, pool.Start(ctx)
	}
}
