package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// remark adds a line to a file, in one write.
func remark(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(line + "\n")
	return err
}

// remarks counts the lines of a file.
func remarks(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

// hookPlan is the argument of a hook: what to note, and which of them fail.
type hookPlan struct {
	Note  string
	Word  string
	First int    // so many fail
	How   string // "error", "panic", "exit", "hang"
}

var loaded string // by load, in a worker

var errSetup = tandemError("process_test.errSetup", "the model is missing")

func tandemError(name, text string) error {
	err := errors.New(text)
	tandem.RegisterError(name, err)
	return err
}

var load = tandem.NewTask("load", func(_ context.Context, p hookPlan) (struct{}, error) {
	if err := remark(p.Note, fmt.Sprint(os.Getpid())); err != nil {
		return struct{}{}, err
	}
	b, err := os.ReadFile(p.Note)
	if err != nil {
		return struct{}{}, err
	}
	if strings.Count(string(b), "\n") <= p.First {
		switch p.How {
		case "error":
			return struct{}{}, fmt.Errorf("try: %w", errSetup)
		case "panic":
			panic("no model")
		case "exit":
			os.Exit(9)
		case "hang":
			select {}
		}
	}
	loaded = p.Word
	return struct{}{}, nil
})

var word = tandem.NewTask("word", func(context.Context, int) (string, error) { return loaded, nil })

func TestHooks(t *testing.T) {
	leaveNothing(t)
	dir := t.TempDir()
	began, ended := filepath.Join(dir, "began"), filepath.Join(dir, "ended")
	pool := &process.Pool{
		Workers: 2,
		Setup:   load.With(hookPlan{Note: began, Word: "ready"}),
		Exit:    load.With(hookPlan{Note: ended}),
	}
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := remarks(t, began); n != 2 {
		t.Errorf("Setup ran %d times before Start returned, want once for each worker", n)
	}
	words, err := word.On(pool).All(t.Context(), make([]int, 10))
	if err != nil || strings.Count(fmt.Sprint(words), "ready") != 10 {
		t.Errorf("the tasks found %q, %v; want what Setup left in their worker", words, err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	if n := remarks(t, ended); n != 2 {
		t.Errorf("Exit ran %d times, want once for each worker", n)
	}
}

// TestSetupFails: always, and then the pool ends with the first cause after a
// bounded number of births; or once, and nobody notices.
func TestSetupFails(t *testing.T) {
	leaveNothing(t)
	for _, c := range []struct {
		how, want string
	}{
		{"error", "the model is missing"},
		{"panic", "no model"},
		{"exit", "exit status 9"},
	} {
		births := filepath.Join(t.TempDir(), c.how)
		pool := &process.Pool{Workers: 2, Setup: load.With(hookPlan{Note: births, First: 1 << 20, How: c.how})}
		for range 2 {
			_, err := double.On(pool).Call(t.Context(), 1)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "broken") {
				t.Errorf("%s: a call got %v, want the cause %q", c.how, err, c.want)
			}
			if c.how == "error" && !errors.Is(err, errSetup) {
				t.Errorf("%s: the cause lost its identity: %v", c.how, err)
			}
		}
		if err := pool.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Start: %v, want the cause", c.how, err)
		}
		if n := remarks(t, births); n < 3 || n > 6 {
			t.Errorf("%s: %d births, want a few", c.how, n)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}

		births = filepath.Join(t.TempDir(), c.how+" once")
		pool = &process.Pool{Workers: 1, Setup: load.With(hookPlan{Note: births, First: 1, How: c.how})}
		if v, err := double.On(pool).Call(t.Context(), 4); v != 8 || err != nil {
			t.Errorf("%s, once: %v, %v; want the next worker to serve", c.how, v, err)
		}
		if n := remarks(t, births); n != 2 {
			t.Errorf("%s, once: %d births, want 2", c.how, n)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSetupHangs: whoever waits may stop waiting, and Close does not.
func TestSetupHangs(t *testing.T) {
	leaveNothing(t)
	births := filepath.Join(t.TempDir(), "births")
	pool := &process.Pool{Workers: 1, Setup: load.With(hookPlan{Note: births, First: 1 << 20, How: "hang"})}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := pool.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start: %v, want its context's cause", err)
	}
	f := double.On(pool).Go(t.Context(), 1)
	eventually(t, "Setup runs", func() bool { return remarks(t, births) > 0 })
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Wait(t.Context()); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("a call that waited for the worker: %v, want ErrClosed", err)
	}
}

// TestExitFails: its error is Close's, with its identity.
func TestExitFails(t *testing.T) {
	leaveNothing(t)
	for _, how := range []string{"error", "panic"} {
		pool := &process.Pool{Workers: 1, Exit: load.With(hookPlan{Note: filepath.Join(t.TempDir(), how), First: 1, How: how})}
		if _, err := double.On(pool).Call(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		err := pool.Close()
		if err == nil || !strings.Contains(err.Error(), "Exit of") || how == "error" && !errors.Is(err, errSetup) {
			t.Errorf("%s: Close: %v, want the hook's error", how, err)
		}
	}
	pool := &process.Pool{
		Workers: 1, Limits: tandem.Limits{Grace: -1},
		Exit: load.With(hookPlan{Note: filepath.Join(t.TempDir(), "hang"), First: 1, How: "hang"}),
	}
	if _, err := double.On(pool).Call(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err == nil || !strings.Contains(err.Error(), "asked to leave and did not") {
		t.Errorf("a hook that hangs: Close: %v, want an end and an error that says so", err)
	}
}

// TestBadHook: what cannot be encoded is found at the first use.
func TestBadHook(t *testing.T) {
	pool := &process.Pool{Setup: keep.With(os.Stdin)}
	if _, err := double.On(pool).Call(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "Pool.Setup") {
		t.Errorf("a hook with a file: %v", err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

var keep = tandem.NewTask("keep", func(_ context.Context, f *os.File) (bool, error) { return f != nil, nil })
