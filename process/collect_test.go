package process_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var (
	collect = tandem.NewTask("collect", func(_ context.Context, n int) ([]time.Duration, error) { return collections(n), nil })
	burn    = tandem.NewTask("burn", func(_ context.Context, d time.Duration) (struct{}, error) {
		burnFor(d)
		return struct{}{}, nil
	})
	burnAll = tandem.NewTask("burn all", func(ctx context.Context, _ struct{}) (struct{}, error) {
		for ctx.Err() == nil {
			burnFor(awake)
		}
		return struct{}{}, ctx.Err()
	})
	nap = tandem.NewTask("nap", func(_ context.Context, d time.Duration) (struct{}, error) {
		time.Sleep(d)
		return struct{}{}, nil
	})
	untilCancelled = tandem.NewTask("until cancelled", func(ctx context.Context, _ struct{}) (struct{}, error) {
		<-ctx.Done()
		return struct{}{}, ctx.Err()
	})
)

// awake is less than a side that waits stays awake: who waits for what comes
// after it looks for it all the while. After a moment it sleeps.
const (
	awake  = 20 * time.Microsecond
	moment = 8 * time.Millisecond
)

func burnFor(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// collections times garbage collections of this process.
func collections(n int) []time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		begin := time.Now()
		runtime.GC()
		took[i] = time.Since(begin)
	}
	return took
}

// A garbage collection stops every goroutine of its process, and so it must not
// have to wait for one that waits for the other process, asleep or awake. One
// that is awake takes a processor, so it is compared with a busy goroutine, which
// takes one too.
func TestCollectionsDoNotWait(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Threads: 2} // one collects while the other works or waits
	closing(t, pool)
	if err := pool.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	here := func() ([]time.Duration, error) { return collections(collected), nil }
	there := func() ([]time.Duration, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return collect.On(pool).Call(ctx, collected)
	}
	nobody := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	busy := func(ctx context.Context) error { // on both sides
		working := burnAll.On(pool).Go(ctx, struct{}{})
		for ctx.Err() == nil {
			burnFor(awake)
		}
		_, err := working.Wait(context.Background())
		return err
	}
	for _, c := range []struct {
		name         string
		collect      func() ([]time.Duration, error)
		calm, beside func(ctx context.Context) error
	}{
		{"here, beside a caller that sleeps", here, nobody, func(ctx context.Context) error {
			_, err := untilCancelled.On(pool).Call(ctx, struct{}{})
			return err
		}},
		{"here, beside a caller that sleeps for a moment", here, nobody, func(ctx context.Context) error {
			_, err := nap.On(pool).Call(ctx, moment)
			return err
		}},
		{"here, beside a caller that is awake", here, busy, func(ctx context.Context) error {
			_, err := burn.On(pool).Call(ctx, awake)
			return err
		}},
		{"in a worker that waits for calls asleep", there, nobody, func(ctx context.Context) error {
			time.Sleep(moment) // the other side's sleep, and no condition
			_, err := burn.On(pool).Call(ctx, 0)
			return err
		}},
		{"in a worker that waits for calls awake", there, busy, func(ctx context.Context) error {
			burnFor(awake)
			_, err := burn.On(pool).Call(ctx, 0)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) { compareCollections(t, c.collect, c.calm, c.beside) })
	}
}

const (
	collected   = 20 // collections between two looks
	looks       = 5
	worstFactor = 10 // of collections beside who waits to those beside who does not
)

// compareCollections compares medians of collections, beside a goroutine that
// does what is calm again and again, and beside one that does the other thing.
// Neighbours make some of them longer, but if a collection waits, all are: so the
// shortest of several medians counts, on each side.
func compareCollections(t *testing.T, collect func() ([]time.Duration, error), calm, beside func(context.Context) error) {
	alone, waited := time.Hour, time.Hour
	for n, end := 1, time.Now().Add(patience); ; n++ {
		alone = min(alone, medianBeside(t, collect, calm))
		waited = min(waited, medianBeside(t, collect, beside))
		switch {
		case n < looks:
		case waited < worstFactor*alone:
			t.Logf("%v, without who waits %v", waited, alone)
			return
		case time.Now().After(end):
			t.Fatalf("a collection takes %v, without who waits %v: it waits too", waited, alone)
		}
	}
}

func medianBeside(t *testing.T, collect func() ([]time.Duration, error), beside func(context.Context) error) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := error(nil)
		for err == nil && ctx.Err() == nil {
			err = beside(ctx)
		}
		ended <- err
	}()
	took, err := collect()
	cancel()
	if e := <-ended; err == nil && !errors.Is(e, context.Canceled) {
		err = e
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	return took[len(took)/2]
}
