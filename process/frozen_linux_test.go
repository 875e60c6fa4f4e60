package process_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestFrozenIdle: a worker that is stopped while it has nothing to do is found out by the
// next call, which goes elsewhere. That it cannot leave is no fault of the pool's, and
// no news for who closes it.
func TestFrozenIdle(t *testing.T) {
	leaveNothing(t)
	for _, transport := range []process.Transport{process.Auto, process.Sockets} {
		pool := &process.Pool{Workers: 1, Transport: transport, Limits: tandem.Limits{Time: 200 * time.Millisecond, Grace: -1}}
		pid, err := getpid.On(pool).Call(t.Context(), struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the worker waits", func() bool { return asleep(pid) })
		stop(t, pid)
		next, err := getpid.On(pool).Call(t.Context(), struct{}{})
		// A socket does not tell whether the worker has read the call.
		if ok := err == nil && next != pid; ok != (transport == process.Auto) || !ok && !errors.Is(err, tandem.ErrTimeout) {
			t.Errorf("%v: the call after worker %d was stopped: %d, %v", transport, pid, next, err)
		}
		eventually(t, "the frozen worker is gone", func() bool { return pool.Stats().Ended == 1 })
		if err := pool.Close(); err != nil {
			t.Errorf("%v: Close: %v", transport, err)
		}
	}
}

// TestFrozenLeaving: nor is one that is stopped when the pool is closed.
func TestFrozenLeaving(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: -1}}
	pid, err := getpid.On(pool).Call(t.Context(), struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker waits", func() bool { return asleep(pid) })
	stop(t, pid)
	if err := pool.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Errorf("worker %d is there", pid)
	}
}

// TestKilledWaiting: a process of a Standby that dies with a task that it has not begun
// is a crash like any other. The task moves nowhere: Start has given it to that process.
func TestKilledWaiting(t *testing.T) {
	leaveNothing(t)
	for _, transport := range []process.Transport{process.Auto, process.Sockets} {
		s := &process.Standby{Transport: transport}
		cfg := standing(t, s)
		children := process.Children()
		if len(children) != 1 {
			t.Fatalf("%v: %d children, want the one that waits", transport, len(children))
		}
		pid := children[0].PID()
		eventually(t, "the process waits", func() bool { return asleep(pid) })
		stop(t, pid)
		h, err := process.Start(t.Context(), cfg, getpid, struct{}{})
		if err != nil || h.Process.PID() != pid {
			t.Fatalf("%v: %v, want a task that is handed over", transport, err)
		}
		kill(t, pid)
		_, err = h.Wait(t.Context())
		crashOf(t, err, pid)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFrozenLarge: nor does a call wait for a worker that is stopped and of whose socket it
// has filled the room.
func TestFrozenLarge(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience) // the failure, should it wait
	defer cancel()
	large := make([]string, 100000) // many small parts, which all go through the socket
	for i := range large {
		large[i] = "abcdefghijklmnop"
	}
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Time: time.Second, Grace: -1}}
	closing(t, pool)
	pid, err := getpid.On(pool).Call(ctx, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker waits", func() bool { return asleep(pid) })
	stop(t, pid)
	call := lengthOf.On(pool).Go(ctx, large)
	if got, err := call.Wait(ctx); got != len(large) || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

var lengthOf = tandem.NewTask("lengthOf", func(_ context.Context, all []string) (int, error) { return len(all), nil })
