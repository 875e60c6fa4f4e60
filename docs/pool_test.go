package docs_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/thread"
)

func TestMakingPools(t *testing.T) {
	ctx := onProcesses(t)
	{
		// page: multiprocessing Pool
		pool := &process.Pool{Workers: 2}
		defer pool.Close()
		ns, err := square.On(pool).All(ctx, []int{1, 2})
		// end
		must(t, err)
		want(t, ns, []int{1, 4})
	}
	{
		// page: multiprocessing Pool()
		pool := &process.Pool{}
		// end
		want(t, pool.Width(), tandem.CPUs())
		must(t, pool.Close())
	}
	{
		// page: multiprocessing Pool(initializer=…)
		pool := &process.Pool{Workers: 2, Setup: load.With("model")}
		// end
		got, err := ask.On(pool).Call(ctx, struct{}{})
		must(t, err)
		want(t, got, "model")
		must(t, pool.Close())
	}
	{
		// page: multiprocessing Pool(maxtasksperchild=…)
		pool := &process.Pool{Workers: 2, MaxTasks: 100}
		// end
		n, err := square.On(pool).Call(ctx, 2)
		must(t, err)
		want(t, n, 4)
		must(t, pool.Close())
	}
	{
		// page: multiprocessing pool.ThreadPool
		pool := &thread.Pool{Threads: 2}
		defer pool.Close()
		ns, err := square.On(pool).All(ctx, []int{1, 2})
		// end
		must(t, err)
		want(t, ns, []int{1, 4})
	}
	{
		// page: concurrent.futures ProcessPoolExecutor
		pool := &process.Pool{Workers: 2}
		n, err := square.On(pool).Go(ctx, 3).Wait(ctx)
		// end
		must(t, err)
		want(t, n, 9)
		_, err = exit.On(pool).Call(ctx, 3)
		var crash *tandem.CrashError
		if !errors.As(err, &crash) {
			t.Errorf("got %v, want a *CrashError", err)
		}
		n, err = square.On(pool).Call(ctx, 4)
		must(t, err)
		want(t, n, 16)
		must(t, pool.Close())
	}
}

func TestCallingPools(t *testing.T) {
	ctx, pool := t.Context(), twoWorkers(t)
	{
		// page: multiprocessing Pool.apply
		n, err := square.On(pool).Call(ctx, 3)
		// end
		must(t, err)
		want(t, n, 9)
	}
	{
		// page: multiprocessing Pool.apply_async
		f := square.On(pool).Go(ctx, 3)
		// end
		n, err := f.Wait(ctx)
		must(t, err)
		want(t, n, 9)
	}
	{
		called := make(chan int, 1)
		callback := func(n int, err error) { called <- n }
		// page: multiprocessing Pool.apply_async(callback=…)
		go func() { callback(square.On(pool).Call(ctx, 3)) }()
		// end
		want(t, <-called, 9)
	}
	{
		// page: multiprocessing Pool.map
		ns, err := square.On(pool).All(ctx, []int{1, 2, 3})
		// end
		must(t, err)
		want(t, ns, []int{1, 4, 9})
	}
	{
		var ns []int
		var err error
		// page: multiprocessing Pool.map_async
		done := make(chan struct{})
		go func() { defer close(done); ns, err = square.On(pool).All(ctx, []int{1, 2}) }()
		// end
		<-done
		must(t, err)
		want(t, ns, []int{1, 4})
	}
	{
		// page: multiprocessing Pool.starmap
		ns, err := add.On(pool).All(ctx, []Pair{{1, 2}, {3, 4}})
		// end
		must(t, err)
		want(t, ns, []int{3, 7})
	}
	{
		inputs := slices.Values([]int{0, 1, 2})
		var ns []int
		use := func(n int, err error) { must(t, err); ns = append(ns, n) }
		// page: multiprocessing Pool.imap
		for n, err := range square.On(pool).Map(ctx, inputs) {
			use(n, err)
		}
		// end
		want(t, ns, []int{0, 1, 4})
	}
	{
		inputs := slices.Values([]int{0, 1, 2})
		got := map[int]int{}
		use := func(index, in, out int, err error) { must(t, err); got[in] = out }
		// page: multiprocessing Pool.imap_unordered
		for it := range square.On(pool).Unordered(ctx, inputs) {
			use(it.Index, it.In, it.Out, it.Err)
		}
		// end
		want(t, got, map[int]int{0: 0, 1: 1, 2: 4})
	}
	f := square.On(pool).Go(ctx, 3)
	{
		// page: multiprocessing AsyncResult.get
		wait, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		n, err := f.Wait(wait)
		// end
		must(t, err)
		want(t, n, 9)
	}
	// page: multiprocessing AsyncResult.wait
	<-f.Done()
	// end
	// page: multiprocessing AsyncResult.ready
	successful := f.Err() == nil // after <-f.Done()
	// end
	want(t, successful, true)
}

func TestClosingPools(t *testing.T) {
	ctx := onProcesses(t)
	{
		pool := &process.Pool{Workers: 1}
		f := square.On(pool).Go(ctx, 3)
		<-f.Done()
		// page: multiprocessing Pool.close
		err := pool.Shutdown(ctx)
		// end
		must(t, err)
		_, err = square.On(pool).Call(ctx, 3)
		want(t, errors.Is(err, tandem.ErrClosed), true)
	}
	{
		pool := &process.Pool{Workers: 1}
		f := nap.On(pool).Limit(tandem.Limits{Grace: -1}).Go(ctx, time.Hour)
		// page: multiprocessing Pool.terminate
		err := pool.Close()
		// end
		must(t, err)
		_, err = f.Wait(ctx)
		want(t, errors.Is(err, tandem.ErrClosed), true)
	}
}
