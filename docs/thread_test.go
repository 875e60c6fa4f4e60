package docs_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/thread"
)

func TestThread(t *testing.T) {
	ctx := t.Context()
	n := 3
	// page: threading Thread
	h := thread.Start(ctx, thread.Config{}, func(ctx context.Context) (int, error) { return n * n, nil })
	// end
	{
		// page: threading Thread.join
		wait, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		n, err := h.Wait(wait)
		// end
		must(t, err)
		want(t, n, 9)
	}
	// page: threading Thread.name
	name := h.Thread.Name() // thread.Config{Name: "cook"} sets it
	// end
	want(t, name[:7], "Thread-")
	// page: threading Thread.ident
	id := h.Thread.ID()
	// end
	want(t, id != 0, true)
	// page: threading Thread.is_alive
	alive := h.Thread.Alive()
	// end
	want(t, alive, false)

	panics := thread.Start(ctx, thread.Config{}, func(ctx context.Context) (int, error) { panic("bad luck") })
	_, err := panics.Wait(ctx)
	// page: threading excepthook
	var panicked *tandem.PanicError
	caught := errors.As(err, &panicked)
	// end
	want(t, caught, true)
	want(t, panicked.Value, "bad luck")

	var names []string
	inside := thread.Start(ctx, thread.Config{Name: "cook"}, func(ctx context.Context) (int, error) {
		// page: threading current_thread
		name := thread.Current().Name()
		// end
		names = append(names, name)
		// page: threading get_ident
		id := thread.Current().ID()
		// end
		return id, nil
	})
	id, err = inside.Wait(ctx)
	must(t, err)
	want(t, id, inside.Thread.ID())
	want(t, names, []string{"cook"})

	{
		// page: threading main_thread
		name := thread.Main().Name()
		// end
		want(t, name, "MainThread")
		// page: threading enumerate
		threads := thread.All()
		// end
		want(t, threads[0], thread.Main())
	}
}

func TestGoHasIt(t *testing.T) {
	done := make(chan struct{})
	work := func() { close(done) }
	// page: threading Thread.run
	go work()
	// end
	<-done

	var mu sync.Mutex
	// page: threading Lock
	mu.Lock()
	defer mu.Unlock()
	// end
	// page: threading Lock.acquire
	locked := mu.TryLock()
	// end
	want(t, locked, false)
	{
		// page: threading Event
		event := make(chan struct{})
		close(event) // set
		<-event      // wait
		// end
	}
	{
		// page: threading Semaphore
		room := make(chan struct{}, 2)
		room <- struct{}{} // acquire
		<-room             // release
		// end
	}
	{
		parties := 3
		var met atomic.Int32
		var meeting sync.WaitGroup
		meeting.Add(parties)
		var all sync.WaitGroup
		for range parties {
			all.Go(func() {
				// page: threading Barrier
				meeting.Done() // meeting.Add(parties) before
				meeting.Wait()
				// end
				met.Add(1)
			})
		}
		all.Wait()
		want(t, met.Load(), int32(3))
	}
	{
		var rung atomic.Bool
		ring := func() { rung.Store(true) }
		// page: threading Timer
		timer := time.AfterFunc(9*time.Hour, ring)
		stopped := timer.Stop()
		// end
		want(t, stopped, true)
		want(t, rung.Load(), false)
	}
}

func TestPerThread(t *testing.T) {
	ctx := t.Context()
	type key struct{}
	setup := func(ctx context.Context) (context.Context, error) {
		// page: threading local
		return context.WithValue(ctx, key{}, new(int)), nil // in thread.Pool's Setup
		// end
	}
	pool := &thread.Pool{Threads: 2, Setup: setup}
	defer pool.Close()
	n, err := square.On(pool).Call(ctx, 2)
	must(t, err)
	want(t, n, 4)
}
