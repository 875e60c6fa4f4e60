package process_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestGoneInTime: what does not listen is gone at the limit and the grace time and a
// little more: a loop, a call that the scheduler knows nothing of, a process that was
// stopped. The goal is 50 ms more; it is printed, and asserted with an allowance for a
// machine that is busy with other things.
func TestGoneInTime(t *testing.T) {
	leaveNothing(t)
	const (
		goal      = 50 * time.Millisecond
		allowance = 2 * time.Second
	)
	limits := tandem.Limits{Time: 100 * time.Millisecond, Grace: 50 * time.Millisecond}
	pool := &process.Pool{Workers: 1, Limits: limits, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	for _, how := range []string{"loop", "blocked call", "SIGSTOP"} {
		var worst time.Duration
		for range 10 {
			if err := pool.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := double.On(pool).Call(t.Context(), 1); err != nil { // the worker is there
				t.Fatal(err)
			}
			pid := workerOf(t, pool)
			start := time.Now()
			_, err := perishing.On(pool).Call(t.Context(), end{How: how})
			took := time.Since(start)
			if !errors.Is(err, tandem.ErrTimeout) {
				t.Fatalf("%s: %v, want ErrTimeout", how, err)
			}
			if alive(pid) {
				t.Errorf("%s: process %d is there, and its call is over", how, pid)
			}
			worst = max(worst, took-limits.Time-limits.Grace)
		}
		t.Logf("%-14s gone %v after limit + grace at the latest, of 10 times (goal %v)", how, worst, goal)
		if worst > goal+allowance {
			t.Errorf("%s: %v after limit + grace", how, worst)
		}
	}
}

// workerOf is the process of a pool with one worker.
func workerOf(t *testing.T, pool *process.Pool) int {
	t.Helper()
	pid, err := growing.On(pool).Call(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
