package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// counter is a value of a service.
type counter struct {
	n      int
	inside atomic.Int32
}

func (c *counter) Close() error {
	if c.n == -1 {
		return errors.New("a bad number to end with")
	}
	return nil
}

var newCounter = process.NewConstructor("counter", func(ctx context.Context, from int) (*counter, error) {
	if from == -7 {
		return nil, io.ErrNoProgress
	}
	return &counter{n: from}, nil
})

var add = process.NewMethod("counter.add", func(ctx context.Context, c *counter, by int) (int, error) {
	if by == 0 {
		return 0, io.ErrShortWrite
	}
	c.n += by
	return c.n, nil
})

// misuse does to the counter's process what ends it, or nearly.
var misuse = process.NewMethod("counter.misuse", func(ctx context.Context, c *counter, how string) (int, error) {
	switch how {
	case "panic":
		c.n++
		panic("too much")
	case "pid":
		return os.Getpid(), nil
	case "leave":
		os.Exit(0)
	case "hang":
		<-ctx.Done()
		return 0, context.Cause(ctx)
	case "spin":
		select {}
	default:
		os.Exit(3)
	}
	return 0, nil
})

// enter tells how many calls are inside at once.
var enter = process.NewMethod("counter.enter", func(ctx context.Context, c *counter, wait int) (int, error) {
	most := c.inside.Add(1)
	defer c.inside.Add(-1)
	for range wait {
		most = max(most, c.inside.Load())
	}
	return int(most), nil
})

// meet returns when so many are inside at once.
var meet = process.NewMethod("counter.meet", func(ctx context.Context, c *counter, want int) (int, error) {
	c.inside.Add(1)
	for int(c.inside.Load()) < want && ctx.Err() == nil {
	}
	return want, context.Cause(ctx)
})

func startCounter(t *testing.T, from int, svc *process.Service[*counter]) *process.Service[*counter] {
	t.Helper()
	leaveNothing(t)
	svc.New = newCounter.With(from)
	svc.Config.Stderr = io.Discard
	closing(t, svc)
	return svc
}

func wantCount(t *testing.T, svc process.Host[*counter], by, want int) {
	t.Helper()
	if n, err := add.On(svc).Call(t.Context(), by); n != want || err != nil {
		t.Errorf("add(%d): %d, %v; want %d", by, n, err, want)
	}
}

// TestService: one value, in another process, changed by one call after the other;
// errors and panics are the caller's and leave it as it is.
func TestService(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{})
	wantCount(t, svc, 2, 12)
	if _, err := add.On(svc).Call(t.Context(), 0); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("the method's error: %v", err)
	}
	var p *tandem.PanicError
	if _, err := misuse.On(svc).Call(t.Context(), "panic"); !errors.As(err, &p) {
		t.Errorf("a panic: %v", err)
	}
	wantCount(t, svc, 1, 14)
	if pid, err := misuse.On(svc).Call(t.Context(), "pid"); err != nil || pid == os.Getpid() {
		t.Errorf("it runs in process %d, %v", pid, err)
	}
	all, err := add.On(svc).All(t.Context(), []int{1, 1, 1})
	if err != nil || all[2] != 17 {
		t.Errorf("All: %v, %v", all, err)
	}
	if s := svc.Stats(); s.Started != 1 || s.Workers != 1 {
		t.Errorf("%+v, want one process", s)
	}
}

// TestServiceOneAtATime: the value needs no lock, unless Threads says so.
func TestServiceOneAtATime(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if n, err := enter.On(svc).Call(t.Context(), 1000); n != 1 || err != nil {
					t.Errorf("%d inside at once, %v", n, err)
				}
			}
		})
	}
	all.Wait()
}

func TestServiceThreads(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{Threads: 3})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := meet.On(svc).Call(t.Context(), 3); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestServiceRestart: the call that ran learns of the death, those that waited go on
// with a value made anew; between calls it is the same, without being asked.
func TestServiceRestart(t *testing.T) {
	var causes []error
	svc := startCounter(t, 10, &process.Service[*counter]{OnRestart: func(cause error) { causes = append(causes, cause) }})
	wantCount(t, svc, 2, 12)
	ran := misuse.On(svc).Go(t.Context(), "exit")
	queued := add.On(svc).Go(t.Context(), 5)
	var crash *tandem.CrashError
	if _, err := ran.Wait(t.Context()); !errors.As(err, &crash) || crash.ExitCode != 3 {
		t.Errorf("the call that ran: %v", err)
	}
	if n, err := queued.Wait(t.Context()); n != 15 || err != nil {
		t.Errorf("the call that waited: %d, %v; want 15", n, err)
	}
	pid, err := misuse.On(svc).Call(t.Context(), "pid")
	if err != nil {
		t.Fatal(err)
	}
	kill(t, pid)
	eventually(t, "the killed process is replaced", func() bool { s := svc.Stats(); return s.Started == 3 && s.Workers == 1 })
	wantCount(t, svc, 1, 11)
	if len(causes) != 2 || !errors.As(causes[0], &crash) || crash.ExitCode != 3 || !errors.As(causes[1], &crash) || crash.Signal != "killed" {
		t.Errorf("OnRestart was told %q", causes)
	}
}

// TestServiceBroken: too many ends in too short a time, and everybody gets the first
// cause.
func TestServiceBroken(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{Name: "fragile", Restart: process.Restart{Max: 2}})
	for range 3 {
		misuse.On(svc).Call(t.Context(), "exit")
	}
	var err error
	eventually(t, "the service is broken", func() bool {
		_, err = add.On(svc).Call(t.Context(), 1)
		return err != nil
	})
	var crash *tandem.CrashError
	if !errors.As(err, &crash) || crash.ExitCode != 3 || !strings.Contains(err.Error(), "fragile is broken, it ended 3 times") {
		t.Errorf("the broken service says: %v", err)
	}
	if s := svc.Stats(); s.Started != 3 {
		t.Errorf("it was started %d times, want 3", s.Started)
	}
}

func TestServiceOnFailure(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{Restart: process.Restart{When: process.OnFailure}})
	misuse.On(svc).Call(t.Context(), "exit")
	wantCount(t, svc, 1, 11)
	misuse.On(svc).Call(t.Context(), "leave")
	if _, err := add.On(svc).Call(t.Context(), 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("after it left by itself: %v", err)
	}
}

func TestServiceNever(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{Restart: process.Restart{When: process.Never}})
	misuse.On(svc).Call(t.Context(), "exit")
	var crash *tandem.CrashError
	if _, err := add.On(svc).Call(t.Context(), 1); !errors.As(err, &crash) || crash.ExitCode != 3 {
		t.Errorf("after its only process: %v", err)
	}
	if s := svc.Stats(); s.Started != 1 {
		t.Errorf("it was started %d times, want once", s.Started)
	}
}

// TestServiceConstructorFails: at once with Never, in the end with Always.
func TestServiceConstructorFails(t *testing.T) {
	for _, when := range []process.When{process.Never, process.Always} {
		svc := startCounter(t, -7, &process.Service[*counter]{Restart: process.Restart{When: when}})
		if err := svc.Start(t.Context()); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("Start with When %d: %v", when, err)
		}
		if _, err := add.On(svc).Call(t.Context(), 1); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("a call with When %d: %v", when, err)
		}
	}
}

// TestServiceTimeLimit: a method that does not listen costs the value.
func TestServiceTimeLimit(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{})
	wantCount(t, svc, 2, 12)
	limited := misuse.On(svc).Limit(tandem.Limits{Time: 1, Grace: 1})
	if _, err := limited.Call(t.Context(), "spin"); !errors.Is(err, tandem.ErrTimeout) {
		t.Errorf("a method that spins: %v", err)
	}
	wantCount(t, svc, 1, 11)
	if _, err := misuse.On(svc).Limit(tandem.Limits{Time: 1}).Call(t.Context(), "hang"); !errors.Is(err, tandem.ErrTimeout) {
		t.Errorf("a method that listens: %v", err)
	}
	wantCount(t, svc, 1, 12) // it listened, so the value is still there
}

// TestServiceEnd: Shutdown finishes what was accepted, Close does not; the value is
// closed, and its error told.
func TestServiceEnd(t *testing.T) {
	svc := startCounter(t, 10, &process.Service[*counter]{})
	f := add.On(svc).Go(t.Context(), 3)
	if err := svc.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := f.Wait(t.Context()); n != 13 || err != nil {
		t.Errorf("accepted before Shutdown: %d, %v", n, err)
	}
	if _, err := add.On(svc).Call(t.Context(), 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("after Shutdown: %v", err)
	}

	bad := &process.Service[*counter]{New: newCounter.With(-2)}
	wantCount(t, bad, 1, -1)
	if err := bad.Close(); err == nil || !strings.Contains(err.Error(), "a bad number to end with") {
		t.Errorf("Close with a value that cannot be closed: %v", err)
	}
}

// TestServiceMisuse: sentences, not panics.
func TestServiceMisuse(t *testing.T) {
	var none *process.Service[*counter]
	for what, svc := range map[string]*process.Service[*counter]{
		"nil": none, "New is not set": {}, "negative": {New: newCounter.With(1), Restart: process.Restart{Max: -1}},
	} {
		if _, err := add.On(svc).Call(t.Context(), 1); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want an error about %q", err, what)
		}
		if err := svc.Start(t.Context()); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("Start: %v, want an error about %q", err, what)
		}
		if err := svc.Close(); err != nil {
			t.Errorf("Close of what never began: %v", err)
		}
	}
}
