package thread_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/thread"
)

var background = context.Background()

// eventually waits for something that the kernel does in its own time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 10 s: %s", what)
		}
	}
}

func run(context.Context) (*thread.Thread, error) { return thread.Current(), nil }

type server struct{}

func (*server) serve(ctx context.Context) (*thread.Thread, error) { return run(ctx) }

func generic[T any](ctx context.Context) (*thread.Thread, error) { return run(ctx) }

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name, given string
		f           func(context.Context) (*thread.Thread, error)
		want        string // after the number
	}{
		{"function", "", run, " (run)"},
		{"method", "", new(server).serve, " (serve)"},
		{"generic", "", generic[map[string]int], " (generic)"},
		{"literal", "", func(ctx context.Context) (*thread.Thread, error) { return run(ctx) }, " (TestNames.func1)"},
		{"given", "decoder", run, "decoder"},
	} {
		h := thread.Start(background, thread.Config{Name: c.given}, c.f)
		got := h.Thread.Name()
		if !strings.HasSuffix(got, c.want) || (c.given == "" && !strings.HasPrefix(got, "Thread-")) {
			t.Errorf("%s: name %q, want …%q", c.name, got, c.want)
		}
		inside, err := h.Wait(background)
		if err != nil || inside != h.Thread {
			t.Errorf("%s: Current inside is %p, %v, want the handle's thread %p", c.name, inside, err, h.Thread)
		}
	}
}

func TestThreadIsReal(t *testing.T) {
	release := make(chan struct{})
	h := thread.Start(background, thread.Config{Name: "线程线程线程"}, func(context.Context) (int, error) {
		<-release
		return os.Getpid(), nil
	})
	id := h.Thread.ID()
	if !h.Thread.Alive() || !slices.Contains(thread.All(), h.Thread) || thread.All()[0] != thread.Main() {
		t.Errorf("a running thread: alive %v, in All %v", h.Thread.Alive(), thread.All())
	}
	if id == thread.Main().ID() {
		t.Errorf("the thread has the main thread's id %d", id)
	}
	if runtime.GOOS == "linux" {
		if kernel, err := sys.ThreadName(id); err != nil || kernel != "线程线程线" {
			t.Errorf("the kernel calls it %q, %v", kernel, err)
		}
		if thread.Main().ID() != os.Getpid() {
			t.Errorf("main thread's id is %d, the process's %d", thread.Main().ID(), os.Getpid())
		}
	}
	close(release)
	if pid, err := h.Wait(background); err != nil || pid != os.Getpid() {
		t.Errorf("Wait = %d, %v: not in this process", pid, err)
	}
	if h.Thread.Alive() || slices.Contains(thread.All(), h.Thread) {
		t.Error("after Wait it still counts as alive")
	}
	if runtime.GOOS == "linux" {
		eventually(t, "the kernel's thread ends", func() bool { return !sys.ThreadAlive(id) })
	}
}

// TestNeverMain: even when the goroutine is born on the main thread, its thread
// is another. Many starts from a blocked main goroutine make that likely.
func TestNeverMain(t *testing.T) {
	for range 200 {
		h := thread.Start(background, thread.Config{}, run)
		<-h.Done()
		if h.Thread.ID() == thread.Main().ID() {
			t.Fatal("a thread of its own was the main thread")
		}
	}
}

func TestMainAndForeign(t *testing.T) {
	if m := thread.Main(); m.Name() != "MainThread" || !m.Alive() || m.Done() != nil {
		t.Errorf("Main: %q, alive %v, done %v", m.Name(), m.Alive(), m.Done())
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := thread.Current()
	if runtime.GOOS == "linux" && (c.ID() != sys.Gettid() || !c.Alive()) {
		t.Errorf("foreign thread: id %d, want %d; alive %v", c.ID(), sys.Gettid(), c.Alive())
	}
	if c.ID() != thread.Main().ID() && c.Done() != nil {
		t.Error("a foreign thread has a Done that would be waited for in vain")
	}
}

func TestOutcomes(t *testing.T) {
	sentinel := errors.New("sentinel")
	cancelled, cancel := context.WithCancelCause(background)
	cancel(sentinel)
	fail := func(err error) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return 7, err }
	}
	for _, c := range []struct {
		name string
		ctx  context.Context
		f    func(context.Context) (int, error)
		is   error
		text string
	}{
		{"error", background, fail(sentinel), sentinel, "sentinel"},
		{"panic", background, func(context.Context) (int, error) { panic("boom") }, nil, "boom"},
		{"panic with an error", background, func(context.Context) (int, error) { panic(sentinel) }, sentinel, "sentinel"},
		{"goexit", background, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }, nil, "runtime.Goexit called"},
		{"nil function", background, nil, nil, "function is nil"},
		{"nil context", nil, fail(nil), nil, "context is nil"},
		{"ended context", cancelled, fail(nil), sentinel, "sentinel"},
	} {
		h := thread.Start(c.ctx, thread.Config{}, c.f)
		for range 2 { // every Wait returns the same
			out, err := h.Wait(background)
			if out != 0 || err == nil || !strings.Contains(err.Error(), c.text) || (c.is != nil && !errors.Is(err, c.is)) {
				t.Errorf("%s: Wait = %d, %v; want 0 and an error with %q", c.name, out, err, c.text)
			}
			if h.Err() != err {
				t.Errorf("%s: Err = %v, Wait's error = %v", c.name, h.Err(), err)
			}
		}
		if h.Thread.Alive() {
			t.Errorf("%s: still alive", c.name)
		}
	}
}

func TestPanicHasStack(t *testing.T) {
	h := thread.Start(background, thread.Config{}, func(context.Context) (int, error) { return explode() })
	_, err := h.Wait(background)
	var p *tandem.PanicError
	if !errors.As(err, &p) || p.Value != "boom" || !strings.Contains(string(p.Stack), "explode") {
		t.Errorf("%v: want a *PanicError whose stack names explode", err)
	}
}

func explode() (int, error) { panic("boom") }

// TestTwoContexts: the one of Wait ends the waiting, the one of Start the work.
func TestTwoContexts(t *testing.T) {
	first := errors.New("first cause")
	ctx, cancel := context.WithCancelCause(background)
	h := thread.Start(ctx, thread.Config{}, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, errors.New("what the function made of it")
	})
	short, end := context.WithTimeout(background, time.Millisecond)
	defer end()
	if _, err := h.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait that ended early: %v", err)
	}
	if !h.Thread.Alive() || h.Err() != nil {
		t.Errorf("the wait's end touched the work: alive %v, err %v", h.Thread.Alive(), h.Err())
	}
	cancel(first)
	if _, err := h.Wait(background); err != first {
		t.Errorf("Wait = %v, want the first cause", err)
	}

	h = thread.Start(background, thread.Config{}, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 5, nil
	})
	h.Cancel()
	if out, err := h.Wait(background); out != 5 || err != nil {
		t.Errorf("asked, and ended with a value: Wait = %d, %v", out, err)
	}
}

func TestCPUs(t *testing.T) {
	if runtime.GOOS != "linux" {
		h := thread.Start(background, thread.Config{CPUs: []int{0}}, run)
		if _, err := h.Wait(background); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("CPUs: %v, want errors.ErrUnsupported", err)
		}
		return
	}
	all, err := sys.Affinity(0)
	if err != nil {
		t.Fatal(err)
	}
	where := func(context.Context) ([]int, error) { return sys.Affinity(0) }
	h := thread.Start(background, thread.Config{CPUs: []int{all[0], all[0]}}, where)
	if got, err := h.Wait(background); err != nil || !slices.Equal(got, all[:1]) {
		t.Errorf("bound to %v: runs on %v, %v", all[:1], got, err)
	}
	// What the thread starts is not bound.
	h = thread.Start(background, thread.Config{CPUs: all[:1]}, func(ctx context.Context) ([]int, error) {
		return thread.Start(ctx, thread.Config{}, where).Wait(ctx)
	})
	if got, err := h.Wait(background); err != nil || !slices.Equal(got, all) {
		t.Errorf("a thread started by a bound one runs on %v, %v, want %v", got, err, all)
	}
	for _, bad := range [][]int{{-1}, {9999}, {all[0], 9999}} {
		h := thread.Start(background, thread.Config{CPUs: bad}, where)
		if got, err := h.Wait(background); err == nil || !strings.Contains(err.Error(), "CPUs") {
			t.Errorf("CPUs %v: ran on %v, %v", bad, got, err)
		}
	}
}

func TestHandleIsAWaiter(t *testing.T) {
	release := make(chan struct{})
	slow := thread.Start(background, thread.Config{}, func(context.Context) (int, error) { <-release; return 1, nil })
	fast := thread.Start(background, thread.Config{}, func(context.Context) (string, error) { return "x", nil })
	var order []int
	for i := range tandem.Completed(background, slow, fast) {
		order = append(order, i)
		if i == 1 {
			close(release)
		}
	}
	if !slices.Equal(order, []int{1, 0}) {
		t.Errorf("settled in the order %v", order)
	}
}

func BenchmarkStart(b *testing.B) {
	f := func(context.Context) (int, error) { return 0, nil }
	b.Run("thread", func(b *testing.B) {
		for b.Loop() {
			thread.Start(background, thread.Config{Name: "bench"}, f).Wait(background)
		}
	})
	b.Run("go statement", func(b *testing.B) {
		for b.Loop() {
			done := make(chan struct{})
			go func() { f(background); close(done) }()
			<-done
		}
	})
}
