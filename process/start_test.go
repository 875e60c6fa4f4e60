package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

type identity struct {
	PID, PPID    int
	Name, Parent string
	ParentPID    int
	ParentAlive  bool
	Nested       string
	NestedParent string
	Children     int
}

var whoami = tandem.NewTask("whoami", func(ctx context.Context, nest bool) (s identity, err error) {
	me, parent := process.Current(), process.Parent()
	s = identity{
		PID: os.Getpid(), PPID: os.Getppid(), Name: me.Name(), Parent: parent.Name(),
		ParentPID: parent.PID(), ParentAlive: parent.Alive(),
	}
	if me.PID() != s.PID || !me.Alive() {
		return s, errors.New("Current is not this process")
	}
	if nest {
		h, err := process.Start(ctx, process.Config{}, whoamiNested, 0)
		if err != nil {
			return s, err
		}
		s.Children = len(process.Children())
		n, err := h.Wait(ctx)
		s.Nested, s.NestedParent = n.Name, n.Parent
		return s, err
	}
	return s, nil
})

var whoamiNested = tandem.NewTask("whoamiNested", func(context.Context, int) (identity, error) {
	return identity{Name: process.Current().Name(), Parent: process.Parent().Name()}, nil
})

func TestStart(t *testing.T) {
	leaveNothing(t)
	h, err := process.Start(t.Context(), process.Config{}, whoami, true)
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := h.Process.Name()
	if !regexp.MustCompile(`^Process-\d+$`).MatchString(name) {
		t.Errorf("default name %q, want Process-N", name)
	}
	want := identity{
		PID: h.Process.PID(), PPID: os.Getpid(), Name: name, Parent: "MainProcess", ParentPID: os.Getpid(), ParentAlive: true,
		Nested: name + ":1", NestedParent: name, Children: 1,
	}
	if got != want {
		t.Errorf("the process sees\n%+v, want\n%+v", got, want)
	}
	own, err := process.Start(t.Context(), process.Config{Name: "resize"}, whoami, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := own.Wait(t.Context()); got.Name != "resize" || own.Process.Name() != "resize" || err != nil {
		t.Errorf("own name: %q, %v", got.Name, err)
	}
	if me := process.Current(); me.Name() != "MainProcess" || me.PID() != os.Getpid() || process.Parent() != nil {
		t.Errorf("here Current is %q and Parent %v", me.Name(), process.Parent())
	}
}

var ending = tandem.NewTask("ending", func(_ context.Context, how string) (int, error) {
	switch how {
	case "error":
		return 0, errors.New("failed")
	case "panic":
		panic("failed")
	case "goexit":
		runtime.Goexit()
	case "exit 3":
		os.Exit(3)
	case "exit 300":
		os.Exit(300)
	case "exit -1":
		os.Exit(-1)
	}
	return 7, nil
})

// TestExitCodes: as Python has them.
func TestExitCodes(t *testing.T) {
	leaveNothing(t)
	for _, c := range []struct {
		how   string
		code  int
		crash bool
	}{
		{"value", 0, false}, {"error", 1, false}, {"panic", 1, false}, {"goexit", 1, false},
		{"exit 3", 3, true}, {"exit 300", 44, true}, {"exit -1", 255, true},
	} {
		h, err := process.Start(t.Context(), process.Config{}, ending, c.how)
		if err != nil {
			t.Fatal(err)
		}
		v, err := h.Wait(t.Context())
		code, ended := h.Process.ExitCode()
		var crash *tandem.CrashError
		if code != c.code || !ended || h.Process.Alive() || errors.As(err, &crash) != c.crash || (err == nil) != (c.how == "value") || err == nil && v != 7 {
			t.Errorf("%s: %v, %v; exit code %d (ended %v), want %d", c.how, v, err, code, ended, c.code)
		}
		if c.crash && (crash.ExitCode != c.code || crash.PID != h.Process.PID() || !strings.Contains(crash.Reason, fmt.Sprint("exit status ", c.code))) {
			t.Errorf("%s: %+v", c.how, crash)
		}
	}
}

func TestSignals(t *testing.T) {
	leaveNothing(t)
	for _, c := range []struct {
		name string
		send func(*process.Process) error
		code int
	}{
		{"Interrupt", (*process.Process).Interrupt, -2},
		{"Terminate", (*process.Process).Terminate, -15},
		{"Kill", (*process.Process).Kill, -9},
	} {
		g := newGrip(t)
		h, err := process.Start(t.Context(), process.Config{}, holding, g.arg)
		if err != nil {
			t.Fatal(err)
		}
		g.running()
		if code, ended := h.Process.ExitCode(); ended || code != 0 || !h.Process.Alive() {
			t.Errorf("%s: while it runs: exit code %d, ended %v", c.name, code, ended)
		}
		if err := c.send(h.Process); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		_, err = h.Wait(t.Context())
		var crash *tandem.CrashError
		if code, ended := h.Process.ExitCode(); code != c.code || !ended || !errors.As(err, &crash) || crash.Signal == "" || crash.ExitCode != -1 {
			t.Errorf("%s: exit code %d, want %d; %v", c.name, code, c.code, err)
		}
		if err := c.send(h.Process); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%s after the end: %v, want os.ErrProcessDone", c.name, err)
		}
	}
	for _, err := range []error{process.Current().Kill(), process.Current().Terminate(), process.Current().Interrupt()} {
		if err == nil || !strings.Contains(err.Error(), "was not started by this process") {
			t.Errorf("to oneself: %v", err)
		}
	}
}

func TestWait(t *testing.T) {
	leaveNothing(t)
	g := newGrip(t)
	h, err := process.Start(t.Context(), process.Config{Name: "patient"}, holding, g.arg)
	if err != nil {
		t.Fatal(err)
	}
	g.running()
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := h.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a short wait: %v, want DeadlineExceeded", err)
	}
	if !h.Process.Alive() || h.Err() != nil || !slices.Contains(process.Children(), h.Process) {
		t.Errorf("after a short wait: alive %v, Err %v, children %v", h.Process.Alive(), h.Err(), process.Children())
	}
	g.release()
	for range 2 {
		if pid, err := h.Wait(t.Context()); pid != h.Process.PID() || err != nil {
			t.Errorf("got %d, %v; want %d every time", pid, err, h.Process.PID())
		}
	}
	<-h.Done()
	<-h.Process.Done()
	if slices.Contains(process.Children(), h.Process) || h.Err() != nil {
		t.Errorf("after the end: children %v, Err %v", process.Children(), h.Err())
	}
	if pid, err := h.Wait(short); pid == 0 || err != nil {
		t.Errorf("what has settled wins over a context that has ended: %v", err)
	}
}

func TestCancel(t *testing.T) {
	leaveNothing(t)
	g := newGrip(t)
	h, err := process.Start(t.Context(), process.Config{}, holding, g.arg)
	if err != nil {
		t.Fatal(err)
	}
	g.running()
	h.Cancel()
	if _, err := h.Wait(t.Context()); !errors.Is(err, context.Canceled) || !errors.Is(h.Err(), context.Canceled) {
		t.Errorf("cancelled: %v, Err %v", err, h.Err())
	}
	if code, _ := h.Process.ExitCode(); code != 1 {
		t.Errorf("a task that listens: exit code %d, want 1", code)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the owner's cause")
	g = newGrip(t).deaf()
	h, err = process.Start(ctx, process.Config{Limits: tandem.Limits{Grace: 10 * time.Millisecond}}, holding, g.arg)
	if err != nil {
		t.Fatal(err)
	}
	g.running()
	cancel(cause)
	if _, err := h.Wait(t.Context()); !errors.Is(err, cause) {
		t.Errorf("cancelled by its context: %v, want the cause", err)
	}
	if code, _ := h.Process.ExitCode(); code != -9 {
		t.Errorf("a deaf task: exit code %d, want -9", code)
	}
}

func TestStartLimits(t *testing.T) {
	leaveNothing(t)
	strict := process.Config{Limits: tandem.Limits{Time: 30 * time.Millisecond, Grace: -1, Output: 2}}
	h, err := process.Start(t.Context(), strict, holding, newGrip(t).deaf().arg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); !errors.Is(err, tandem.ErrTimeout) {
		t.Errorf("time: %v, want ErrTimeout", err)
	}
	strict.Limits.Time = 0
	h2, err := process.Start(t.Context(), strict, double, 4)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := h2.Wait(t.Context()); v != 0 || !errors.Is(err, tandem.ErrTooLarge) {
		t.Errorf("output: %v, %v; want ErrTooLarge", v, err)
	}
	if code, _ := h2.Process.ExitCode(); code != 1 {
		t.Errorf("a result that is too large: exit code %d, want 1: no kill, however short the grace", code)
	}
}

func TestStartRefuses(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("before it began")
	cancel(cause)
	if _, err := process.Start(ctx, process.Config{}, double, 1); !errors.Is(err, cause) {
		t.Errorf("a context that has ended: %v, want the cause", err)
	}
	if _, err := process.Start(nil, process.Config{}, double, 1); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("a nil context: %v", err)
	}
	if _, err := process.Start[int, int](t.Context(), process.Config{}, nil, 1); err == nil || !strings.Contains(err.Error(), "task is nil") {
		t.Errorf("a nil task: %v", err)
	}
	for want, cfg := range map[string]process.Config{
		"Limits.Time is negative": {Limits: tandem.Limits{Time: -1}},
		"use at least":            {Limits: tandem.Limits{Memory: 1 << 20}},
		"MaxStack is negative":    {MaxStack: -1},
		"InitTimeout is negative": {InitTimeout: -1},
		"no such folder":          {Dir: "/no such folder"},
	} {
		if _, err := process.Start(t.Context(), cfg, double, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error that says %q", cfg, err, want)
		}
	}
	closed := newGrip(t)
	closed.arg.Leave.Close()
	h, err := process.Start(t.Context(), process.Config{}, holding, closed.arg)
	if err == nil {
		_, err = h.Wait(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("a closed file as argument: %v", err)
	}
}
