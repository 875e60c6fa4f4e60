package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// standing is a Standby whose processes all wait; it is closed at the end of the test.
func standing(t *testing.T, s *process.Standby) process.Config {
	t.Helper()
	closing(t, s)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return process.Config{Standby: s}
}

// transports are the ways that a standby can take here.
func transports() []process.Transport { return []process.Transport{process.Auto, process.Sockets} }

// nextOf is the process that the next Start of a test with one standby will take.
func nextOf(t *testing.T) *process.Process {
	t.Helper()
	all := process.Children()
	if len(all) == 0 {
		t.Fatal("no process waits")
	}
	return all[len(all)-1]
}

// began starts a task in the process that waits, and fails the test if it is another.
func began[In, Out any](t *testing.T, cfg process.Config, task *tandem.Task[In, Out], in In) *process.Handle[Out] {
	t.Helper()
	if err := cfg.Standby.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := nextOf(t)
	h, err := process.Start(t.Context(), cfg, task, in)
	if err != nil {
		t.Fatal(err)
	}
	if h.Process != w {
		t.Errorf("pid %d waited, and pid %d has the task", w.PID(), h.Process.PID())
	}
	return h
}

// TestStandbyEndings: a task ends in a standby as in a process of its own.
func TestStandbyEndings(t *testing.T) {
	for _, way := range transports() {
		t.Run(way.String(), func(t *testing.T) {
			leaveNothing(t)
			cfg := standing(t, &process.Standby{Transport: way})
			for _, c := range []struct {
				how   string
				code  int
				crash bool
			}{
				{"value", 0, false}, {"error", 1, false}, {"panic", 1, false}, {"goexit", 1, false}, {"exit 3", 3, true},
			} {
				h := began(t, cfg, ending, c.how)
				early, first := h.Result(t.Context())
				v, err := h.Wait(t.Context())
				code, ended := h.Process.ExitCode()
				var crash *tandem.CrashError
				if code != c.code || !ended || errors.As(err, &crash) != c.crash || (err == nil) != (c.how == "value") || err == nil && v != 7 {
					t.Errorf("%s: %v, %v; exit code %d (ended %v), want %d", c.how, v, err, code, ended, c.code)
				}
				if early != v || first != err {
					t.Errorf("%s: Result says %v, %v; Wait %v, %v", c.how, early, first, v, err)
				}
			}
		})
	}
}

func TestStandbyNames(t *testing.T) {
	leaveNothing(t)
	cfg := standing(t, &process.Standby{})
	cfg.Name = "resize"
	h := began(t, cfg, whoami, true)
	got, err := h.Wait(t.Context())
	want := identity{
		PID: h.Process.PID(), PPID: os.Getpid(), Name: "resize", Parent: "MainProcess", ParentPID: os.Getpid(), ParentAlive: true,
		Nested: "resize:1", NestedParent: "resize", Children: 1,
	}
	if got != want || err != nil || h.Process.Name() != "resize" {
		t.Errorf("%q sees\n%+v, want\n%+v; %v", h.Process.Name(), got, want, err)
	}
}

var present = tandem.NewVar("present", 1)

var seen = tandem.NewTask("seen", func(context.Context, struct{}) (int, error) { return present.Get(), nil })

// TestStandbyVar: a variable has the value of the moment of Start, not of the boot.
func TestStandbyVar(t *testing.T) {
	leaveNothing(t)
	defer present.Set(present.Get())
	cfg := standing(t, &process.Standby{})
	for i := range 3 {
		present.Set(100 + i)
		h := began(t, cfg, seen, struct{}{})
		if v, err := h.Wait(t.Context()); v != 100+i || err != nil {
			t.Errorf("the variable is %d, %v; want %d", v, err, 100+i)
		}
		present.Set(-1)
	}
}

func TestStandbyLimits(t *testing.T) {
	for _, way := range transports() {
		t.Run(way.String(), func(t *testing.T) {
			leaveNothing(t)
			cfg := standing(t, &process.Standby{Transport: way, Config: process.Config{Limits: tandem.Limits{Grace: -1}}})
			cfg.Limits.Time = 30 * time.Millisecond
			// Nobody asks for the result: the limit is kept all the same.
			h := began(t, cfg, holding, newGrip(t).deaf().arg)
			<-h.Done()
			if code, _ := h.Process.ExitCode(); !errors.Is(h.Err(), tandem.ErrTimeout) || code != -9 {
				t.Errorf("time: %v, exit code %d", h.Err(), code)
			}
			cfg.Limits = tandem.Limits{Output: 2}
			if v, err := began(t, cfg, double, 4).Wait(t.Context()); v != 0 || !errors.Is(err, tandem.ErrTooLarge) {
				t.Errorf("output: %v, %v; want ErrTooLarge", v, err)
			}
			g := newGrip(t)
			cfg.Limits = tandem.Limits{Grace: time.Hour}
			h = began(t, cfg, holding, g.arg)
			g.running()
			h.Cancel()
			if _, err := h.Wait(t.Context()); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}

// TestStandbyCarries: what is large and what has descriptors goes both ways, and an
// argument that cannot leave costs nothing but its process.
func TestStandbyCarries(t *testing.T) {
	for _, way := range transports() {
		t.Run(way.String(), func(t *testing.T) {
			leaveNothing(t)
			cfg := standing(t, &process.Standby{Transport: way})
			for _, times := range []int{2 << 10, 1 << 18} { // for a room of the ring, and for none
				large := strings.Repeat("large ", times)
				got, err := began(t, cfg, mirroring, large).Wait(t.Context())
				if got != large || err != nil {
					t.Errorf("%d bytes came back of %d, %v", len(got), len(large), err)
				}
			}
			g := newGrip(t)
			h := began(t, cfg, holding, g.arg)
			g.running().release()
			if pid, err := h.Wait(t.Context()); pid != h.Process.PID() || err != nil {
				t.Errorf("with files: %d, %v", pid, err)
			}
			closed := newGrip(t)
			closed.arg.Leave.Close()
			if err := cfg.Standby.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			h, err := process.Start(t.Context(), cfg, holding, closed.arg)
			if err == nil {
				_, err = h.Wait(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), "closed") {
				t.Errorf("a closed file as argument: %v", err)
			}
		})
	}
}

var mirroring = tandem.NewTask("mirroring", func(_ context.Context, s string) (string, error) { return s, nil })

// TestStandbyReplaced: one that is killed while it waits is replaced.
func TestStandbyReplaced(t *testing.T) {
	leaveNothing(t)
	cfg := standing(t, &process.Standby{})
	w := nextOf(t)
	kill(t, w.PID())
	<-w.Done()
	if v, err := began(t, cfg, double, 4).Wait(t.Context()); v != 8 || err != nil {
		t.Errorf("after the death of the first: %v, %v", v, err)
	}
}

// TestStandbyMany: starts back to back, with a process that waits or without one.
func TestStandbyMany(t *testing.T) {
	leaveNothing(t)
	cfg := standing(t, &process.Standby{Processes: 3})
	handles := make([]*process.Handle[int], 300)
	const together = 10
	for i := range handles {
		h, err := process.Start(t.Context(), cfg, double, i)
		if err != nil {
			t.Fatal(err)
		}
		if handles[i] = h; i >= together {
			handles[i-together].Wait(t.Context())
		}
	}
	for i, h := range handles {
		v, err := h.Wait(t.Context())
		if code, ended := h.Process.ExitCode(); v != 2*i || err != nil || code != 0 || !ended {
			t.Errorf("start %d: %v, %v, exit code %d", i, v, err, code)
		}
	}
}

// TestStandbyClose: what waits ends, what runs goes on.
func TestStandbyClose(t *testing.T) {
	leaveNothing(t)
	s := &process.Standby{Processes: 2}
	cfg := standing(t, s)
	g := newGrip(t)
	h := holdIn(t, cfg, g)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left := process.Children(); len(left) != 1 || left[0] != h.Process {
		t.Errorf("after Close there are %d processes", len(left))
	}
	if _, err := process.Start(t.Context(), cfg, double, 1); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Start with a closed standby: %v", err)
	}
	if err := s.Start(t.Context()); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Start of a closed standby: %v", err)
	}
	g.release()
	if pid, err := h.Wait(t.Context()); pid != h.Process.PID() || err != nil {
		t.Errorf("the task that ran during Close: %v, %v", pid, err)
	}
	if err := new(process.Standby).Close(); err != nil {
		t.Errorf("Close of one that was never used: %v", err)
	}
}

func holdIn(t *testing.T, cfg process.Config, g *grip) *process.Handle[int] {
	t.Helper()
	h, err := process.Start(t.Context(), cfg, holding, g.arg)
	if err != nil {
		t.Fatal(err)
	}
	g.running()
	return h
}

func TestStandbyRefuses(t *testing.T) {
	leaveNothing(t)
	s := new(process.Standby)
	closing(t, s)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for field, cfg := range map[string]process.Config{
		"Env": {Env: []string{"A=B"}}, "Dir": {Dir: t.TempDir()}, "Stdin": {Stdin: null}, "Stdout": {Stdout: io.Discard}, "Stderr": {Stderr: io.Discard},
		"ExtraFiles": {ExtraFiles: []*os.File{null}}, "MaxStack": {MaxStack: 1 << 20}, "InitTimeout": {InitTimeout: time.Second},
	} {
		cfg.Standby = s
		if _, err := process.Start(t.Context(), cfg, double, 1); err == nil || !strings.Contains(err.Error(), "Config."+field+" is set beside Config.Standby") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for want, s := range map[string]*process.Standby{
		"Processes is negative":   {Processes: -1},
		"InitTimeout is negative": {Config: process.Config{InitTimeout: -1}},
		"boots its own":           {Config: process.Config{Standby: s}},
		"Transport(9)":            {Transport: 9},
	} {
		if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error that says %q", err, want)
		}
	}
	pool := &process.Pool{Config: process.Config{Standby: s}}
	closing(t, pool)
	if _, err := double.On(pool).Call(t.Context(), 1); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "Pool.Config.Standby") {
		t.Errorf("a pool: %v", err)
	}
	if len(process.Children()) > 0 {
		t.Error("a refused Start booted a process")
	}
}

// TestStandbyBroken: after three births that fail it gives up, and says why.
func TestStandbyBroken(t *testing.T) {
	leaveNothing(t)
	s := &process.Standby{Config: process.Config{Env: misbehaving("before Init", "exit"), Stderr: io.Discard}}
	closing(t, s)
	err := s.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is broken") || !strings.Contains(err.Error(), "flag provided but not defined") {
		t.Errorf("Start: %v", err)
	}
	if again := s.Start(t.Context()); again != err {
		t.Errorf("the second Start: %v, the first: %v", again, err)
	}
	h, err := process.Start(t.Context(), process.Config{Standby: s}, double, 1)
	if err == nil {
		_, err = h.Wait(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "flag provided but not defined") {
		t.Errorf("a task of a broken standby: %v", err)
	}
}

// TestStandbyConfig: the processes are as Standby.Config says, those too that are
// booted because none is ready.
func TestStandbyConfig(t *testing.T) {
	leaveNothing(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &process.Standby{Config: process.Config{Dir: dir}}
	closing(t, s)
	for range 2 {
		h, err := process.Start(t.Context(), process.Config{Standby: s}, where, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Wait(t.Context()); got != dir || err != nil {
			t.Errorf("the task ran in %s, %v; want %s", got, err, dir)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

var where = tandem.NewTask("where", func(context.Context, struct{}) (string, error) { return os.Getwd() })
