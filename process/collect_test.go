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
// have to wait for one that waits for the other process, asleep or awake.
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
	for _, c := range []struct {
		name    string
		collect func() ([]time.Duration, error)
		beside  func(ctx context.Context) error
	}{
		{"here, beside a caller that sleeps", here, func(ctx context.Context) error {
			_, err := untilCancelled.On(pool).Call(ctx, struct{}{})
			return err
		}},
		{"here, beside a caller that sleeps for a moment", here, func(ctx context.Context) error {
			_, err := nap.On(pool).Call(ctx, moment)
			return err
		}},
		{"here, beside a caller that is awake", here, func(ctx context.Context) error {
			_, err := burn.On(pool).Call(ctx, awake)
			return err
		}},
		{"in a worker that waits for calls asleep", there, func(ctx context.Context) error {
			time.Sleep(moment) // the other side's sleep, and no condition
			_, err := burn.On(pool).Call(ctx, 0)
			return err
		}},
		{"in a worker that waits for calls awake", there, func(ctx context.Context) error {
			burnFor(awake)
			_, err := burn.On(pool).Call(ctx, 0)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) { compareCollections(t, c.collect, c.beside) })
	}
}

const (
	collected   = 20 // collections between two looks
	looks       = 5
	worstFactor = 10 // of collections beside somebody to those alone
)

// compareCollections compares medians of collections, alone and beside a
// goroutine that does the other thing again and again. Neighbours make some of
// them longer, but if a collection waits, all are: so the shortest of several
// medians counts, on each side.
func compareCollections(t *testing.T, collect func() ([]time.Duration, error), beside func(context.Context) error) {
	alone, disturbed := time.Hour, time.Hour
	for n, end := 1, time.Now().Add(patience); ; n++ {
		alone = min(alone, medianOf(t, collect))
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			err := error(nil)
			for err == nil && ctx.Err() == nil {
				err = beside(ctx)
			}
			ended <- err
		}()
		disturbed = min(disturbed, medianOf(t, collect))
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		switch {
		case n < looks:
		case disturbed < worstFactor*alone:
			t.Logf("alone %v, beside %v", alone, disturbed)
			return
		case time.Now().After(end):
			t.Fatalf("a collection takes %v, and alone %v: it waits", disturbed, alone)
		}
	}
}

func medianOf(t *testing.T, collect func() ([]time.Duration, error)) time.Duration {
	t.Helper()
	took, err := collect()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	return took[len(took)/2]
}
