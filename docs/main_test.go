package docs_test

import (
	"context"
	"flag"
	"os"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// The tasks that the page speaks of.
var (
	square = tandem.NewTask("square", func(ctx context.Context, n int) (int, error) { return n * n, nil })
	add    = tandem.NewTask("add", func(ctx context.Context, p Pair) (int, error) { return p.A + p.B, nil })
	nap    = tandem.NewTask("nap", func(ctx context.Context, d time.Duration) (string, error) {
		select {
		case <-time.After(d):
			return "slept", nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})
	exit    = tandem.NewTask("exit", func(ctx context.Context, code int) (int, error) { os.Exit(code); return 0, nil })
	unlucky = tandem.NewTask("unlucky", func(ctx context.Context, s string) (int, error) { panic(s) })
	load    = tandem.NewTask("load", func(ctx context.Context, model string) (struct{}, error) { loaded = model; return struct{}{}, nil })
	ask     = tandem.NewTask("ask", func(ctx context.Context, _ struct{}) (string, error) { return loaded, nil })
	look    = tandem.NewTask("look", func(ctx context.Context, _ struct{}) (int, error) { return num.Get(), nil })
	where   = tandem.NewTask("where", func(ctx context.Context, _ struct{}) (string, error) {
		return process.Current().Name(), nil
	})
)

// Pair is two arguments in one.
type Pair struct{ A, B int }

var loaded string // what load loaded, in its own worker

var num = tandem.NewVar("num", 100)

func TestMain(m *testing.M) {
	// page: multiprocessing freeze_support
	tandem.Init() // first line of main
	// end
	flag.Parse()
	os.Exit(m.Run())
}

// onProcesses leaves out what needs processes where the portable transport has none.
func onProcesses(t *testing.T) context.Context {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes are not offered on Windows yet")
	}
	return t.Context()
}

// started is a running process that naps for d.
func started(t *testing.T, d time.Duration) *process.Handle[string] {
	t.Helper()
	h, err := process.Start(onProcesses(t), process.Config{}, nap, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Cancel(); <-h.Done() })
	return h
}

// pool is a pool of two workers, closed when the test ends.
func twoWorkers(t *testing.T) *process.Pool {
	t.Helper()
	onProcesses(t)
	pool := &process.Pool{Workers: 2}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Errorf("pool.Close: %v", err)
		}
	})
	return pool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
