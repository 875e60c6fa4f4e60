package docs_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func TestExecutors(t *testing.T) {
	ctx := t.Context()
	// page: concurrent.futures ThreadPoolExecutor
	pool := tandem.Goroutines(2)
	f := square.On(pool).Go(ctx, 3)
	// end
	n, err := f.Wait(ctx)
	must(t, err)
	want(t, n, 9)
	{
		pool := twoWorkers(t)
		// page: concurrent.futures Executor
		var place tandem.Runner = pool
		n, err := square.On(place).Call(ctx, 3)
		// end
		must(t, err)
		want(t, n, 9)
		// page: concurrent.futures Executor.submit
		f := square.On(pool).Go(ctx, 3)
		// end
		<-f.Done()
		must(t, f.Err())
		// page: concurrent.futures Executor.map
		ns, err := square.On(pool).All(ctx, []int{1, 2, 3})
		// end
		must(t, err)
		want(t, ns, []int{1, 4, 9})
		ns = nil
		inputs := slices.Values([]int{1, 2, 3})
		use := func(n int, err error) { must(t, err); ns = append(ns, n) }
		// page: concurrent.futures Executor.map(buffersize=…)
		for n, err := range square.On(pool).Window(8).Map(ctx, inputs) {
			use(n, err)
		}
		// end
		want(t, ns, []int{1, 4, 9})
	}
	{
		pool := &process.Pool{Workers: 1}
		// page: concurrent.futures Executor.shutdown
		err := pool.Shutdown(ctx)
		// end
		must(t, err)
	}
	{
		pool := &process.Pool{Workers: 1}
		// page: concurrent.futures Executor.shutdown(cancel_futures=True)
		err := pool.Close()
		// end
		must(t, err)
		_, err = square.On(pool).Call(ctx, 3)
		want(t, errors.Is(err, tandem.ErrClosed), true)
	}
}

func TestFutures(t *testing.T) {
	ctx, pool := t.Context(), tandem.Goroutines(2)
	// page: concurrent.futures Future
	f := square.On(pool).Go(ctx, 3) // a *tandem.Future[int]
	// end
	{
		// page: concurrent.futures Future.result
		n, err := f.Wait(ctx)
		// end
		must(t, err)
		want(t, n, 9)
	}
	// page: concurrent.futures Future.exception
	err := f.Err()
	// end
	must(t, err)
	// page: concurrent.futures Future.done
	<-f.Done() // or a case of a select
	// end
	{
		f := nap.On(pool).Go(ctx, time.Hour)
		// page: concurrent.futures Future.cancel
		f.Cancel()
		// end
		_, err := f.Wait(ctx)
		// page: concurrent.futures CancelledError
		cancelled := errors.Is(err, context.Canceled)
		// end
		want(t, cancelled, true)
	}
	{
		called := make(chan int, 1)
		callback := func(n int, err error) { called <- n }
		// page: concurrent.futures Future.add_done_callback
		go func() { callback(f.Wait(ctx)) }()
		// end
		want(t, <-called, 9)
	}
}

func TestWaitingForFutures(t *testing.T) {
	ctx, pool := t.Context(), tandem.Goroutines(2)
	a, b := square.On(pool).Go(ctx, 1), nap.On(pool).Go(ctx, time.Millisecond)
	settled := 0
	{
		// page: concurrent.futures wait
		for range tandem.Completed(ctx, a, b) {
			settled++
		}
		// end
		want(t, settled, 2)
	}
	{
		// page: concurrent.futures FIRST_COMPLETED
		next, stop := iter.Pull2(tandem.Completed(ctx, a, b))
		first, _, ok := next()
		stop()
		// end
		want(t, ok && (first == 0 || first == 1), true)
	}
	bad := unlucky.On(pool).Go(ctx, "thirteen")
	var failed error
	{
		// page: concurrent.futures FIRST_EXCEPTION
		for _, f := range tandem.Completed(ctx, a, b, bad) {
			failed = cmp.Or(failed, f.Err()) // break at the first
		}
		// end
		want(t, failed != nil, true)
	}
	{
		got := map[int]error{}
		use := func(i int, err error) { got[i] = err }
		// page: concurrent.futures as_completed
		for i, f := range tandem.Completed(ctx, a, b) {
			use(i, f.Err())
		}
		// end
		want(t, got, map[int]error{0: nil, 1: nil})
	}
}

func TestLimitsAndDeadlines(t *testing.T) {
	ctx, pool := t.Context(), twoWorkers(t)
	_, err := nap.On(pool).Limit(tandem.Limits{Time: time.Millisecond}).Call(ctx, time.Hour)
	// page: concurrent.futures TimeoutError
	limit := errors.Is(err, tandem.ErrTimeout)
	deadline := errors.Is(err, context.DeadlineExceeded)
	// end
	want(t, limit, true)
	want(t, deadline, false)

	_, err = exit.On(pool).Call(ctx, 3)
	// page: concurrent.futures BrokenExecutor
	var crash *tandem.CrashError
	died := errors.As(err, &crash)
	// end
	want(t, died, true)
	n, err := square.On(pool).Call(ctx, 3) // the pool goes on
	must(t, err)
	want(t, n, 9)
}
