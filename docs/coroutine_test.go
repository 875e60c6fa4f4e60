package docs_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
)

func fetch(ctx context.Context) (int, error) { return 9, coroutine.Yield(ctx) }

func TestLoop(t *testing.T) {
	ctx := t.Context()
	ran := false
	main := func(ctx context.Context) error { ran = true; return nil }
	{
		// page: asyncio run
		err := coroutine.Run(ctx, main)
		// end
		must(t, err)
		want(t, ran, true)
	}
	{
		// page: asyncio Runner
		loop := &coroutine.Loop{Slow: time.Second}
		err := loop.Run(ctx, main)
		// end
		must(t, err)
	}
}

// inLoop runs f as the main coroutine of a loop.
func inLoop(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	must(t, coroutine.Run(t.Context(), f))
}

func TestCoroutines(t *testing.T) {
	inLoop(t, func(ctx context.Context) error {
		{
			// page: asyncio create_task
			task := coroutine.Go(ctx, "fetch", fetch)
			// end
			// page: asyncio Task
			n, err := task.Wait(ctx)
			// end
			must(t, err)
			want(t, n, 9)
		}
		{
			task := coroutine.Go(ctx, "sleeper", func(ctx context.Context) (int, error) { return 0, coroutine.Sleep(ctx, time.Hour) })
			// page: asyncio Task.cancel
			task.Cancel()
			_, err := task.Wait(ctx)
			// end
			// page: asyncio CancelledError
			cancelled := errors.Is(err, context.Canceled)
			// end
			want(t, cancelled, true)
		}
		{
			// page: asyncio gather
			ns, err := coroutine.Gather(ctx, fetch, fetch)
			// end
			must(t, err)
			want(t, ns, []int{9, 9})
		}
		{
			bad := errors.New("bad")
			fail := func(ctx context.Context) (int, error) { return 0, bad }
			wait := func(ctx context.Context) (int, error) { return 0, coroutine.Sleep(ctx, time.Hour) }
			// page: asyncio TaskGroup
			_, err := coroutine.Gather(ctx, wait, fail)
			// end
			want(t, errors.Is(err, bad), true)
		}
		{
			// page: asyncio sleep
			err := coroutine.Sleep(ctx, time.Millisecond)
			// end
			must(t, err)
			// page: asyncio sleep(0)
			err = coroutine.Yield(ctx)
			// end
			must(t, err)
		}
		{
			work := func(ctx context.Context) error { return coroutine.Sleep(ctx, time.Hour) }
			// page: asyncio timeout
			err := coroutine.WithTimeout(ctx, time.Millisecond, work)
			late := errors.Is(err, tandem.ErrTimeout)
			// end
			want(t, late, true)
		}
		return nil
	})
}

func TestOutsideTheLoop(t *testing.T) {
	inLoop(t, func(ctx context.Context) error {
		{
			read := func() (int, error) { time.Sleep(time.Millisecond); return 9, nil }
			// page: asyncio to_thread
			n, err := coroutine.Blocking(ctx, read)
			// end
			must(t, err)
			want(t, n, 9)
		}
		{
			// page: asyncio wrap_future
			f := square.On(tandem.Goroutines(1)).Go(ctx, 3)
			err := coroutine.Await(ctx, f)
			// end
			must(t, err)
		}
		{
			// page: asyncio Event
			event := make(chan struct{})
			close(event) // set
			_, _, err := coroutine.AwaitChan(ctx, event)
			// end
			must(t, err)
		}
		{
			// page: asyncio Lock
			lock := make(chan struct{}, 1)
			lock <- struct{}{} // make it free
			_, _, err := coroutine.AwaitChan(ctx, lock)
			// end
			must(t, err)
		}
		{
			// page: asyncio Queue
			queue := make(chan int, 10)
			queue <- 1
			n, ok, err := coroutine.AwaitChan(ctx, queue)
			// end
			must(t, err)
			want(t, n, 1)
			want(t, ok, true)
			close(queue)
			// page: asyncio QueueShutDown
			_, open, err := coroutine.AwaitChan(ctx, queue) // after close(queue)
			// end
			must(t, err)
			want(t, open, false)
		}
		{
			first, cancel := context.WithCancel(ctx)
			cancel()
			// page: asyncio shield
			n, err := fetch(context.WithoutCancel(first))
			// end
			must(t, err)
			want(t, n, 9)
		}
		return nil
	})
}

func TestWaitForMany(t *testing.T) {
	ctx := t.Context()
	a, b := square.On(nil).Go(ctx, 1), square.On(nil).Go(ctx, 2)
	settled := 0
	{
		// page: asyncio wait
		for range tandem.Completed(ctx, a, b) {
			settled++
		}
		// end
	}
	{
		// page: asyncio as_completed
		for range tandem.Completed(ctx, a, b) {
			settled++
		}
		// end
	}
	want(t, settled, 4)
	// page: asyncio EventLoop
	var loop coroutine.Loop
	// end
	must(t, loop.Run(ctx, func(ctx context.Context) error { return nil }))
}

func TestGenerator(t *testing.T) {
	// page: asyncio generators
	echo := coroutine.New(func(y *coroutine.Yielder[int, int], n int) error { y.Yield(2 * n); return nil })
	defer echo.Stop()
	n, err := echo.Send(21)
	// end
	must(t, err)
	want(t, n, 42)
	var all []int
	count := coroutine.New(func(y *coroutine.Yielder[struct{}, int], _ struct{}) error {
		for i := range 3 {
			y.Yield(i)
		}
		return nil
	})
	for n, err := range count.All() {
		must(t, err)
		all = append(all, n)
	}
	want(t, slices.Equal(all, []int{0, 1, 2}), true)
}
