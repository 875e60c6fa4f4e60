package thread_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/thread"
)

// A task's function is fixed; what it does in a test travels in its context.
type key string

func with(f func(context.Context) (int, error)) context.Context {
	return context.WithValue(background, key("body"), f)
}

var body = tandem.NewTask("body", func(ctx context.Context, in int) (int, error) {
	if f, ok := ctx.Value(key("body")).(func(context.Context) (int, error)); ok {
		return f(ctx)
	}
	return in + 1, nil
})

func tid(context.Context) (int, error) { return thread.Current().ID(), nil }

func closePool(t *testing.T, p *thread.Pool) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestPoolZeroValue(t *testing.T) {
	var p thread.Pool
	if p.Width() != tandem.CPUs() {
		t.Errorf("Width = %d, want CPUs() = %d", p.Width(), tandem.CPUs())
	}
	if out, err := body.On(&p).Call(background, 41); out != 42 || err != nil {
		t.Errorf("Call = %d, %v", out, err)
	}
	closePool(t, &p)
	closePool(t, &p) // again
	if _, err := body.On(&p).Call(background, 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	var unused thread.Pool
	closePool(t, &unused)
	if err := unused.Start(background); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}
}

// TestPoolThreads: never more at once than Threads, on threads of the pool,
// which are gone after it.
func TestPoolThreads(t *testing.T) {
	p := &thread.Pool{Threads: 3, Name: "three"}
	var inside, most atomic.Int32
	var mu sync.Mutex
	names, ids := map[string]bool{}, map[int]bool{}
	ctx := with(func(ctx context.Context) (int, error) {
		n := inside.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		c := thread.Current()
		mu.Lock()
		names[c.Name()], ids[c.ID()] = true, true
		mu.Unlock()
		for deadline := time.Now().Add(5 * time.Second); most.Load() < 3 && time.Now().Before(deadline); {
			runtime.Gosched() // until three are inside at once
		}
		inside.Add(-1)
		return 0, nil
	})
	if _, err := body.On(p).All(ctx, make([]int, 50)); err != nil {
		t.Fatal(err)
	}
	if most.Load() != 3 || len(names) != 3 || !names["three_1"] {
		t.Errorf("at once %d, names %v; want 3 threads three_1 to three_3", most.Load(), names)
	}
	closePool(t, p)
	if runtime.GOOS == "linux" {
		for id := range ids {
			eventually(t, fmt.Sprintf("thread %d is gone", id), func() bool { return !sys.ThreadAlive(id) })
		}
	}
	for _, th := range thread.All() {
		if strings.HasPrefix(th.Name(), "three_") {
			t.Errorf("%s is still listed", th.Name())
		}
	}
}

// TestPoolLazy: threads come with the work, not before and not beyond it.
func TestPoolLazy(t *testing.T) {
	p := &thread.Pool{Threads: 4, Name: "lazy"}
	defer closePool(t, p)
	count := func() (n int) {
		for _, th := range thread.All() {
			if strings.HasPrefix(th.Name(), "lazy_") {
				n++
			}
		}
		return n
	}
	for range 10 {
		body.On(p).Call(background, 1)
	}
	// A call may find its only thread not yet idle after the last call, and a second starts.
	if n := count(); n < 1 || n > 4 {
		t.Errorf("%d threads after calls one by one", n)
	}
	if err := p.Start(background); err != nil || count() != 4 {
		t.Errorf("after Start: %d threads, %v", count(), err)
	}
}

func TestPoolSetup(t *testing.T) {
	var setups atomic.Int32
	p := &thread.Pool{Threads: 2, Setup: func(ctx context.Context) (context.Context, error) {
		setups.Add(1)
		ctx = context.WithValue(ctx, key("thread"), thread.Current().ID())
		return context.WithValue(ctx, key("both"), "thread"), nil
	}}
	defer closePool(t, p)
	if err := p.Start(background); err != nil || setups.Load() != 2 {
		t.Fatalf("Start: %v, %d setups", err, setups.Load())
	}
	ctx := context.WithValue(with(func(ctx context.Context) (int, error) {
		if got := ctx.Value(key("thread")); got != thread.Current().ID() {
			return 0, fmt.Errorf("thread %d found the value %v of another", thread.Current().ID(), got)
		}
		if got := ctx.Value(key("both")); got != "call" {
			return 0, fmt.Errorf("found %v, want the caller's value", got)
		}
		return 0, nil
	}), key("both"), "call")
	if _, err := body.On(p).All(ctx, make([]int, 20)); err != nil {
		t.Error(err)
	}
	if setups.Load() != 2 {
		t.Errorf("%d setups for 2 threads", setups.Load())
	}
}

func TestPoolSetupFails(t *testing.T) {
	first := errors.New("no licence")
	for name, setup := range map[string]func(context.Context) (context.Context, error){
		"error":       func(ctx context.Context) (context.Context, error) { return ctx, first },
		"panic":       func(context.Context) (context.Context, error) { panic(first) },
		"goexit":      func(context.Context) (context.Context, error) { runtime.Goexit(); return nil, nil },
		"nil context": func(context.Context) (context.Context, error) { return nil, nil },
	} {
		var setups atomic.Int32
		p := &thread.Pool{Threads: 2, Setup: func(ctx context.Context) (context.Context, error) {
			setups.Add(1)
			return setup(ctx)
		}}
		_, err := body.On(p).All(background, make([]int, 20))
		if err == nil || !strings.Contains(err.Error(), "Setup") || ((name == "error" || name == "panic") && !errors.Is(err, first)) {
			t.Errorf("%s: calls got %v", name, err)
		}
		if err := p.Start(background); err == nil || !strings.Contains(err.Error(), "Setup") {
			t.Errorf("%s: Start got %v", name, err)
		}
		if n := setups.Load(); n > 2 {
			t.Errorf("%s: %d setups: threads were started again and again", name, n)
		}
		closePool(t, p)
	}
}

func TestPoolOutcomes(t *testing.T) {
	p := &thread.Pool{Threads: 1}
	defer closePool(t, p)
	sentinel := errors.New("sentinel")
	for name, f := range map[string]func(context.Context) (int, error){
		"sentinel":              func(context.Context) (int, error) { return 1, sentinel },
		"boom":                  func(context.Context) (int, error) { panic("boom") },
		"runtime.Goexit called": func(context.Context) (int, error) { runtime.Goexit(); return 1, nil },
	} {
		if out, err := body.On(p).Call(with(f), 1); out != 0 || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Call = %d, %v", name, out, err)
		}
		if out, err := body.On(p).Call(background, 1); out != 2 || err != nil {
			t.Errorf("after %s: Call = %d, %v", name, out, err)
		}
	}
}

// TestPoolGoexitInQueue: a task that takes its thread with it strands nobody.
func TestPoolGoexitInQueue(t *testing.T) {
	p := &thread.Pool{Threads: 1}
	defer closePool(t, p)
	outs, err := body.On(p).All(with(func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }), make([]int, 10))
	if len(outs) != 10 || strings.Count(fmt.Sprint(err), "runtime.Goexit called") != 10 {
		t.Errorf("%d outcomes: %v", len(outs), err)
	}
}

func TestPoolRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		pool   *thread.Pool
		limits tandem.Limits
		text   string
	}{
		{"threads", &thread.Pool{Threads: -1}, tandem.Limits{}, "Threads is negative"},
		{"queue", &thread.Pool{Queue: -1}, tandem.Limits{}, "Queue is negative"},
		{"time limit", &thread.Pool{}, tandem.Limits{Time: time.Second}, errors.ErrUnsupported.Error()},
		{"memory limit", &thread.Pool{}, tandem.Limits{Memory: 1 << 30}, errors.ErrUnsupported.Error()},
		{"CPUs", &thread.Pool{CPUs: []int{9999}}, tandem.Limits{}, "CPUs [9999]"},
	} {
		_, err := body.On(c.pool).Limit(c.limits).Call(background, 1)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want …%s…", c.name, err, c.text)
		}
		c.pool.Close()
	}
	p := &thread.Pool{}
	for what, err := range map[string]error{"Start": p.Start(nil), "Shutdown": p.Shutdown(nil)} {
		if err == nil || !strings.Contains(err.Error(), "context is nil") {
			t.Errorf("%s(nil): %v", what, err)
		}
	}
	closePool(t, p)
}

func TestPoolCopied(t *testing.T) {
	p := &thread.Pool{Threads: 1}
	defer closePool(t, p)
	body.On(p).Call(background, 1)
	var copied thread.Pool
	reflect.ValueOf(&copied).Elem().Set(reflect.ValueOf(p).Elem()) // go vet refuses copied = *p
	if _, err := body.On(&copied).Call(background, 1); err == nil || !strings.Contains(err.Error(), "copied") {
		t.Errorf("a copied pool: %v", err)
	}
}

// occupy runs a task that ends when release is closed, or its context ends.
func occupy(t *testing.T, p *thread.Pool, obeys bool, release chan struct{}) *tandem.Future[int] {
	t.Helper()
	in := make(chan struct{})
	f := body.On(p).Go(with(func(ctx context.Context) (int, error) {
		close(in)
		if obeys {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		<-release
		return 7, nil
	}), 1)
	<-in
	return f
}

func TestPoolQueue(t *testing.T) {
	p := &thread.Pool{Threads: 1, Queue: 2}
	defer closePool(t, p)
	release := make(chan struct{})
	first := occupy(t, p, false, release)
	var waiting []*tandem.Future[int]
	var cancels []context.CancelCauseFunc
	full := false
	eventually(t, "the queue is full", func() bool { // each future submits in a goroutine of its own
		ctx, cancel := context.WithCancelCause(background)
		f := body.On(p).Go(ctx, len(waiting))
		waiting, cancels = append(waiting, f), append(cancels, cancel)
		select {
		case <-f.Done():
			full = errors.Is(f.Err(), tandem.ErrQueueFull)
		case <-time.After(5 * time.Millisecond):
		}
		return full
	})
	cause := errors.New("cause")
	cancels[0](cause) // it waits, or it was refused
	if _, err := waiting[0].Wait(background); !errors.Is(err, cause) && !errors.Is(err, tandem.ErrQueueFull) {
		t.Errorf("cancelled in the queue: %v", err)
	}
	close(release)
	if out, err := first.Wait(background); out != 7 || err != nil {
		t.Errorf("first = %d, %v", out, err)
	}
	accepted := 0
	for i, f := range waiting {
		switch out, err := f.Wait(background); {
		case err == nil && out == i+1, errors.Is(err, cause):
			accepted++
		case !errors.Is(err, tandem.ErrQueueFull):
			t.Errorf("call %d = %d, %v", i, out, err)
		}
		cancels[i](nil)
	}
	if accepted != 2 {
		t.Errorf("%d calls were let wait, Queue is 2", accepted)
	}
}

func TestPoolCancelRunning(t *testing.T) {
	p := &thread.Pool{Threads: 1}
	defer closePool(t, p)
	f := occupy(t, p, true, nil)
	f.Cancel()
	if _, err := f.Wait(background); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while running: %v", err)
	}
}

func TestPoolShutdown(t *testing.T) {
	p := &thread.Pool{Threads: 1}
	release := make(chan struct{})
	first := occupy(t, p, false, release)
	var waiting []*tandem.Future[int]
	for i := range 5 {
		waiting = append(waiting, body.On(p).Go(background, i))
	}
	short, end := context.WithTimeout(background, time.Millisecond)
	defer end()
	if err := p.Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown that had to wait: %v", err)
	}
	if _, err := body.On(p).Call(background, 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("a call after Shutdown began: %v", err)
	}
	close(release)
	if err := p.Shutdown(background); err != nil {
		t.Error(err)
	}
	if out, err := first.Wait(background); out != 7 || err != nil {
		t.Errorf("running at Shutdown: %d, %v", out, err)
	}
	for i, f := range waiting { // accepted before Shutdown, or refused: nothing in between
		if out, err := f.Wait(background); (err != nil || out != i+1) && !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("waiting at Shutdown: %d, %v", out, err)
		}
	}
}

func TestPoolClose(t *testing.T) {
	p := &thread.Pool{Threads: 2}
	obeys := occupy(t, p, true, nil)
	occupied := occupy(t, p, true, nil)
	queued := body.On(p).Go(background, 1)
	closePool(t, p)
	for name, f := range map[string]*tandem.Future[int]{"running": obeys, "running too": occupied, "queued": queued} {
		if _, err := f.Wait(background); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("%s at Close: %v, want ErrClosed", name, err)
		}
	}
}

// TestPoolCloseStubborn: what does not listen is named, and the pool ends when it
// ends.
func TestPoolCloseStubborn(t *testing.T) {
	p := &thread.Pool{Threads: 1, Name: "stubborn", Grace: time.Millisecond}
	release := make(chan struct{})
	f := occupy(t, p, false, release)
	err := p.Close()
	if err == nil || !strings.Contains(err.Error(), "thread_test.body on stubborn_1") {
		t.Errorf("Close = %v, want the task and its thread named", err)
	}
	close(release)
	if out, err := f.Wait(background); out != 7 || err != nil {
		t.Errorf("it ended with a value: %d, %v", out, err)
	}
	if err := p.Shutdown(background); err != nil {
		t.Error(err)
	}
	closePool(t, p)
}

// TestPoolCloseIdle: a thread without a task is none that still runs.
func TestPoolCloseIdle(t *testing.T) {
	for range 50 {
		p := &thread.Pool{Threads: 2, Grace: -1}
		if _, err := body.On(p).All(background, make([]int, 2)); err != nil {
			t.Fatal(err)
		}
		closePool(t, p)
	}
}

// TestPoolChurn: calls, cancels and Close at random moments; each call settles
// once, with a value or a cause.
func TestPoolChurn(t *testing.T) {
	for round := range 20 {
		p := &thread.Pool{Threads: 2, Queue: 8}
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(background)
				defer cancel()
				if i%3 == 0 {
					go cancel()
				}
				out, err := body.On(p).Call(ctx, i)
				switch {
				case err == nil && out == i+1:
				case errors.Is(err, tandem.ErrClosed), errors.Is(err, tandem.ErrQueueFull):
				case i%3 == 0 && errors.Is(err, context.Canceled):
				default:
					t.Errorf("call %d = %d, %v", i, out, err)
				}
			})
		}
		if round%2 == 0 {
			wg.Wait()
		}
		closePool(t, p)
		wg.Wait()
	}
}

func BenchmarkCall(b *testing.B) {
	for name, place := range map[string]tandem.Runner{"pool": &thread.Pool{Threads: 1}, "goroutines": tandem.Goroutines(1)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				body.On(place).Call(background, 1)
			}
		})
	}
}
