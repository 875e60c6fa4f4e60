package docs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

// Tally is what several processes count in.
type Tally struct {
	Lock  *shared.Mutex
	Total *shared.Value[int]
}

var count = tandem.NewTask("count", func(ctx context.Context, y Tally) (struct{}, error) {
	return struct{}{}, y.Total.Update(ctx, func(n *int) error { *n++; return nil })
})

func TestShared(t *testing.T) {
	ctx, pool := t.Context(), twoWorkers(t)
	mu, err := shared.NewMutex()
	must(t, err)
	defer mu.Close()
	ran := 0
	f := func() error { ran++; return nil }
	{
		// page: multiprocessing Lock
		err := mu.With(ctx, f) // mu, err := shared.NewMutex()
		// end
		must(t, err)
		want(t, ran, 1)
	}
	{
		// page: multiprocessing Lock.acquire
		wait, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := mu.Lock(wait)
		// end
		must(t, err)
		mu.Unlock()
	}
	{
		// page: multiprocessing Lock.acquire(block=False)
		locked := mu.TryLock()
		// end
		want(t, locked, true)
		mu.Unlock()
	}
	{
		// page: multiprocessing Value
		v, err := shared.NewValue(0)
		// end
		must(t, err)
		defer v.Close()
		// page: multiprocessing Value.get_lock
		err = v.Update(ctx, func(n *int) error { *n++; return nil })
		// end
		must(t, err)
		_, err = count.On(pool).Call(ctx, Tally{mu, v})
		must(t, err)
		must(t, v.Update(ctx, func(n *int) error { want(t, *n, 2); return nil }))
	}
	{
		// page: multiprocessing Array
		a, err := shared.NewSliceOf([]int32{1, 2, 3})
		err = a.Update(ctx, func(p []int32) error { p[0] = 7; return nil })
		// end
		must(t, err)
		defer a.Close()
		must(t, a.View(func(p []int32) error { want(t, p, []int32{7, 2, 3}); return nil }))
	}
	{
		// page: multiprocessing RawValue
		v, err := shared.NewAtomic(7)
		n := v.Load()
		// end
		must(t, err)
		defer v.Close()
		want(t, n, 7)
	}
	{
		a, err := shared.NewSlice[int32](3)
		must(t, err)
		defer a.Close()
		{
			// page: multiprocessing RawArray
			err := a.View(func(p []int32) error { p[0] = 7; return nil })
			// end
			must(t, err)
		}
		must(t, a.Update(ctx, func(p []int32) error { want(t, p, []int32{7, 0, 0}); return nil }))
	}
	{
		// page: multiprocessing Semaphore
		sem, err := shared.NewSemaphore(2)
		// end
		must(t, err)
		defer sem.Close()
		must(t, sem.Acquire(ctx))
		sem.Release()
	}
	{
		cond, err := shared.NewCond(mu)
		must(t, err)
		defer cond.Close()
		ready := func() bool { return true }
		{
			// page: multiprocessing Condition
			err := cond.When(ctx, ready, f) // cond, err := shared.NewCond(mu)
			err = cond.Broadcast()
			// end
			must(t, err)
			want(t, ran, 2)
		}
	}
	{
		e, err := shared.NewEvent()
		must(t, err)
		defer e.Close()
		{
			// page: multiprocessing Event
			err := e.Set() // e, err := shared.NewEvent()
			err = e.Wait(ctx)
			// end
			must(t, err)
		}
	}
	{
		b, err := shared.NewBarrier(1)
		must(t, err)
		defer b.Close()
		{
			// page: multiprocessing Barrier
			index, err := b.Wait(ctx) // b, err := shared.NewBarrier(1)
			// end
			must(t, err)
			want(t, index, 0)
		}
		must(t, b.Abort())
		_, err = b.Wait(ctx)
		// page: threading BrokenBarrierError
		broken := errors.Is(err, shared.ErrBrokenBarrier)
		// end
		want(t, broken, true)
	}
	{
		q, err := shared.NewQueue[string](10)
		must(t, err)
		defer q.Close()
		{
			// page: multiprocessing Queue
			err := q.Put(ctx, "x") // q, err := shared.NewQueue[string](10)
			x, err := q.Get(ctx)
			// end
			must(t, err)
			want(t, x, "x")
		}
		{
			// page: multiprocessing JoinableQueue
			err := q.TaskDone()
			err = q.Join(ctx)
			// end
			must(t, err)
		}
	}
	{
		a, b, err := shared.NewPipe[string, int]()
		must(t, err)
		defer a.Close()
		defer b.Close()
		{
			// page: multiprocessing Pipe
			err := a.Send(ctx, "x") // a, b, err := shared.NewPipe[string, int]()
			x, err := b.Recv(ctx)
			// end
			must(t, err)
			want(t, x, "x")
		}
		// page: multiprocessing connection.Connection
		var end *shared.Conn[string, int] = a
		// end
		must(t, end.Send(ctx, "y"))
	}
}
