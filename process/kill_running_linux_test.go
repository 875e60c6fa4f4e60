package process_test

import (
	"context"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func TestKilledRunning(t *testing.T) {
	leaveNothing(t)
	s, pool := newStarts(t), oneWorker(t, tandem.Bound{})
	call := workOnce.On(pool).Go(t.Context(), work{Starts: s.file, Hang: 1})
	pid := s.await(1)
	kill(t, pid)
	_, err := call.Wait(t.Context())
	crashOf(t, err, pid)
	if next, err := workOnce.On(pool).Call(t.Context(), work{Starts: s.file}); err != nil || next == pid {
		t.Errorf("the next call: pid %d after %d, %v", next, pid, err)
	}
	if got := len(s.all()); got != 2 {
		t.Errorf("2 calls started %d times", got)
	}
}

func TestKilledRunningIdempotent(t *testing.T) {
	leaveNothing(t)
	s, pool := newStarts(t), oneWorker(t, tandem.Bound{})
	call := workAgain.On(pool).Go(t.Context(), work{Starts: s.file, Hang: 2})
	first := s.await(1)
	kill(t, first)
	second := s.await(2)
	kill(t, second)
	third, err := call.Wait(t.Context())
	if err != nil || third == second || second == first {
		t.Errorf("pids %d, %d, %d, %v; want three workers and no error", first, second, third, err)
	}

	// The third death is put down to the task.
	call = workAgain.On(pool).Go(t.Context(), work{Starts: s.file, Hang: 9})
	for i := range 3 {
		kill(t, s.await(4+i))
	}
	_, err = call.Wait(t.Context())
	crashOf(t, err, s.all()[5].pid)
	if got := len(s.all()); got != 6 {
		t.Errorf("%d starts, want 3 for each call", got)
	}
}

// setUp hangs in the first worker.
var setUp = tandem.NewTask("set up", func(ctx context.Context, path string) (struct{}, error) {
	err := noteStartAt(path, 0)
	if n, _ := startsIn(path); err == nil && n == 1 {
		select {}
	}
	return struct{}{}, err
})

func TestKilledInSetup(t *testing.T) {
	leaveNothing(t)
	s := newStarts(t)
	pool := &process.Pool{Workers: 1, Setup: setUp.With(s.file.Name())}
	closing(t, pool)
	call := double.On(pool).Go(t.Context(), 21)
	kill(t, s.await(1))
	if got, err := call.Wait(t.Context()); got != 42 || err != nil {
		t.Errorf("got %d, %v: a death in Setup must not reach the call", got, err)
	}
}

// A worker that leaves after its call, and hangs in its Exit hook.
func TestKilledExiting(t *testing.T) {
	leaveNothing(t)
	s := newStarts(t)
	// The grace time is how long the hook may hang: this one is killed before it.
	pool := &process.Pool{Workers: 1, MaxTasks: 1, Exit: setUp.With(s.file.Name()), Limits: tandem.Limits{Grace: patience}}
	closing(t, pool)
	first, err := getpid.On(pool).Call(t.Context(), struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if pid := s.await(1); pid != first {
		t.Errorf("the Exit hook runs in %d, the call ran in %d", pid, first)
	}
	second, err := getpid.On(pool).Call(t.Context(), struct{}{}) // while the first hangs
	if err != nil || second == first {
		t.Errorf("the next call: pid %d after %d, %v", second, first, err)
	}
	kill(t, first)
	if third, err := getpid.On(pool).Call(t.Context(), struct{}{}); err != nil || third == second {
		t.Errorf("the call after the death: pid %d after %d, %v", third, second, err)
	}
	eventually(t, "three workers have left", func() bool { return pool.Stats().Ended == 3 })
	if got := len(s.all()); got != 3 {
		t.Errorf("3 workers ran %d Exit hooks", got)
	}
}
