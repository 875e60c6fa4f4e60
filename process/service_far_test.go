//go:build unix

package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// visit is a task that uses a service of another process.
type visit struct {
	Svc *process.Service[*counter]
	Do  string
	N   int
}

var visiting = tandem.NewTask("visiting", func(ctx context.Context, v visit) (n int, err error) {
	switch v.Do {
	case "add":
		return add.On(v.Svc).Call(ctx, v.N)
	case "many":
		_, err := add.On(v.Svc).All(ctx, make1(v.N))
		return v.N, err
	case "die in a call":
		meet.On(v.Svc).Go(ctx, 100)
		if _, err := meet.On(v.Svc).Call(ctx, 2); err != nil { // the first is inside
			return 0, err
		}
		os.Exit(4)
	case "grandchild":
		h, err := process.Start(ctx, process.Config{}, visitingAgain, visit{Svc: v.Svc, N: v.N})
		if err != nil {
			return 0, err
		}
		return h.Wait(ctx)
	case "close":
		if _, err := add.On(v.Svc).Call(ctx, v.N); err != nil {
			return 0, err
		}
		v.Svc.Close()
		_, err := add.On(v.Svc).Call(ctx, v.N)
		return 0, err
	case "cancel":
		ctx, cancel := context.WithCancelCause(ctx)
		f := misuse.On(v.Svc).Go(ctx, "hang")
		cancel(io.ErrClosedPipe)
		return f.Wait(context.Background())
	default:
		return misuse.On(v.Svc).Call(ctx, v.Do)
	}
	return 0, nil
})

var visitingAgain = tandem.NewTask("visitingAgain", func(ctx context.Context, v visit) (int, error) {
	return add.On(v.Svc).Call(ctx, v.N)
})

func make1(n int) []int {
	ones := make([]int, n)
	for i := range ones {
		ones[i] = 1
	}
	return ones
}

func visitCounter(t *testing.T, workers int) (*process.Service[*counter], *process.Pool) {
	t.Helper()
	svc := startCounter(t, 10, &process.Service[*counter]{})
	pool := &process.Pool{Workers: workers, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	return svc, pool
}

// TestServiceFromWorker: a service is called by workers, by what they start, and by
// this process, and all see one value.
func TestServiceFromWorker(t *testing.T) {
	svc, pool := visitCounter(t, 2)
	ctx := t.Context()
	for i, do := range []string{"add", "add", "grandchild"} {
		if n, err := visiting.On(pool).Call(ctx, visit{svc, do, 2}); n != 12+2*i || err != nil {
			t.Errorf("%s: %d, %v; want %d", do, n, err, 12+2*i)
		}
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := visiting.On(pool).Call(ctx, visit{svc, "many", 100}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantCount(t, svc, 1, 417)
}

// TestServiceErrorsFar: what goes wrong is told as if the call came from here.
func TestServiceErrorsFar(t *testing.T) {
	svc, pool := visitCounter(t, 1)
	ctx := t.Context()
	if _, err := visiting.On(pool).Call(ctx, visit{svc, "add", 0}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("the method's error: %v", err)
	}
	var p *tandem.PanicError
	if _, err := visiting.On(pool).Call(ctx, visit{svc, "panic", 0}); !errors.As(err, &p) || p.Value != "too much" {
		t.Errorf("a panic: %v", err)
	}
	var crash *tandem.CrashError
	if _, err := visiting.On(pool).Call(ctx, visit{svc, "exit", 0}); !errors.As(err, &crash) || crash.ExitCode != 3 {
		t.Errorf("the service's death: %v", err)
	}
	if n, err := visiting.On(pool).Call(ctx, visit{svc, "add", 1}); n != 11 || err != nil {
		t.Errorf("after it: %d, %v", n, err)
	}
	if _, err := visiting.On(pool).Call(ctx, visit{svc, "cancel", 0}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a call that is cancelled: %v", err)
	}
	if _, err := visiting.On(pool).Call(ctx, visit{svc, "close", 1}); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("a handle that is closed: %v", err)
	}
	wantCount(t, svc, 1, 13)
}

// TestServiceCallerDies: the call of a process that died is ended, and nobody else's.
func TestServiceCallerDies(t *testing.T) {
	svc, pool := visitCounter(t, 1)
	svc.Threads = 2
	var crash *tandem.CrashError
	if _, err := visiting.On(pool).Call(t.Context(), visit{svc, "die in a call", 0}); !errors.As(err, &crash) || crash.ExitCode != 4 {
		t.Errorf("the caller: %v", err)
	}
	wantCount(t, svc, 1, 11)
	eventually(t, "its call has ended", func() bool { return svc.Stats().Running == 0 })
	if s := svc.Stats(); s.Started != 1 {
		t.Errorf("the service was started %d times", s.Started)
	}
}

// TestServiceClosedFar: a handle outlives its service, and says so.
func TestServiceClosedFar(t *testing.T) {
	svc, pool := visitCounter(t, 1)
	h, err := keepHandle.On(pool).Call(t.Context(), svc)
	if h != 12 || err != nil {
		t.Fatalf("%d, %v", h, err)
	}
	if err := svc.Close(); err != nil {
		t.Error(err)
	}
	if _, err := useHandle.On(pool).Call(t.Context(), 2); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("the service is closed: %v", err)
	}
	if _, err := keepHandle.On(pool).Call(t.Context(), svc); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("a closed service is sent: %v", err)
	}
}

var keptService *process.Service[*counter]

var keepHandle = tandem.NewTask("keepHandle", func(ctx context.Context, svc *process.Service[*counter]) (int, error) {
	keptService = svc
	return add.On(svc).Call(ctx, 2)
})

var useHandle = tandem.NewTask("useHandle", func(ctx context.Context, n int) (int, error) {
	return add.On(keptService).Call(ctx, n)
})

// wordCount is work for many hands on one dictionary.
type wordCount struct {
	Words *process.Map[string, int]
	Text  []string
}

var countWords = tandem.NewTask("countWords", func(ctx context.Context, in wordCount) (n int, err error) {
	for _, w := range in.Text {
		if n, err = count.On(in.Words).Call(ctx, w); err != nil {
			return n, err
		}
	}
	n, _, err = in.Words.Get(ctx, "the")
	return n, err
})

// TestMapFromWorkers: Python's shared dictionary.
func TestMapFromWorkers(t *testing.T) {
	m := makeWords(t)
	pool := &process.Pool{Workers: 2}
	closing(t, pool)
	job := wordCount{m, []string{"the", "cat", "the", "mat"}}
	if _, err := countWords.On(pool).All(t.Context(), []wordCount{job, job, job, job}); err != nil {
		t.Fatal(err)
	}
	for w, want := range map[string]int{"the": 8, "cat": 4, "mat": 4} {
		if n, ok, err := m.Get(t.Context(), w); n != want || !ok || err != nil {
			t.Errorf("%s: %d, %v, %v; want %d", w, n, ok, err, want)
		}
	}
}

// mostFar is how many calls of one process a service takes on.
const mostFar = 4096

// crowding makes many more calls than its service takes from one process. When the
// refused ones are back it opens the way for the others.
var crowding = tandem.NewTask("crowding", func(ctx context.Context, c throng) (done int, err error) {
	var calls sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for range mostFar + c.More {
		calls.Go(func() {
			_, e := add.On(c.Svc).Call(ctx, 1)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case e == nil:
				done++
			case !errors.Is(e, tandem.ErrQueueFull):
				err = e
			default:
				if refused++; refused == c.More {
					err = errors.Join(err, os.WriteFile(c.File, nil, 0o600))
				}
			}
		})
	}
	calls.Wait()
	return done, err
})

type throng struct {
	Svc  *process.Service[*counter]
	File string
	More int
}

// TestServiceFarCrowd: what is too much is refused, and costs the other calls nothing.
func TestServiceFarCrowd(t *testing.T) {
	svc, pool := visitCounter(t, 1)
	g := newSluice(t, 0)
	held := lingering.On(svc).Go(t.Context(), g)
	g.reached(t, 1)
	if n, err := crowding.On(pool).Call(t.Context(), throng{svc, g.File, 10}); n != mostFar || err != nil {
		t.Errorf("%d calls were done, want %d; %v", n, mostFar, err)
	}
	g.open(t)
	if _, err := held.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, svc, 1, 10+mostFar+1)
}
