package process_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/thread"
)

type spot struct{ PID, Thread, Main int }

// meeting ends when as many have come as are expected: only if all run at once.
var meeting = tandem.NewTask("meeting", func(ctx context.Context, h hold) (spot, error) {
	_, err := h.stay(ctx)
	return spot{os.Getpid(), thread.Current().ID(), thread.Main().ID()}, err
})

// TestHybrid: two processes with four threads run eight at once.
func TestHybrid(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 2, Threads: 4}
	closing(t, pool)
	g := newGrip(t) // one for all: each start is a dot, leaving is for all
	var calls []*tandem.Future[spot]
	for range 8 {
		calls = append(calls, meeting.On(pool).Go(t.Context(), g.arg))
	}
	for range 8 {
		g.running()
	}
	g.release()
	g.arg.Leave.Close()
	var pids, threads []int
	for _, c := range calls {
		s, err := c.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pids, threads = append(pids, s.PID), append(threads, s.Thread)
	}
	if distinct(pids) != 2 || distinct(threads) != 8 {
		t.Errorf("%d processes and %d threads, want 2 and 8", distinct(pids), distinct(threads))
	}
}

// TestHybridLimits: what belongs to the whole worker is refused for one call.
func TestHybridLimits(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Threads: 2}
	closing(t, pool)
	_, err := double.On(pool).Limit(tandem.Limits{Memory: 256 << 20}).Call(t.Context(), 1)
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a memory limit for one call: %v, want ErrUnsupported", err)
	}
}

// TestRetired: a worker with a task over its time gets no further call, its
// neighbours have the grace time, its successor serves meanwhile.
func TestRetired(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Threads: 4, Limits: tandem.Limits{Grace: time.Second}}
	closing(t, pool)
	quick, slow, sure, deaf := newGrip(t), newGrip(t), newGrip(t), newGrip(t).deaf()
	quickly := holding.On(pool).Go(t.Context(), quick.arg)
	slowly := holding.On(pool).Go(t.Context(), slow.arg)
	surely := holdingAgain.On(pool).Go(t.Context(), sure.arg)
	quick.running()
	slow.running()
	sure.running()
	first, err := pid.On(pool).Call(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	late := holding.On(pool).Limit(tandem.Limits{Time: time.Millisecond}).Go(t.Context(), deaf.arg)
	deaf.running()
	eventually(t, "another worker takes the calls", func() bool {
		p, err := pid.On(pool).Call(t.Context(), 0)
		return err == nil && p != first
	})
	quick.release() // within the grace time
	if p, err := quickly.Wait(t.Context()); p != first || err != nil {
		t.Errorf("a neighbour that ended in time: %v, %v; want %d", p, err, first)
	}
	if _, err := late.Wait(t.Context()); !errors.Is(err, tandem.ErrTimeout) {
		t.Errorf("the task over its time: %v, want ErrTimeout", err)
	}
	var crash *tandem.CrashError
	if _, err := slowly.Wait(t.Context()); !errors.As(err, &crash) || !crash.Collateral || crash.PID != first {
		t.Errorf("a neighbour that still ran: %v, want a *CrashError with Collateral", err)
	}
	sure.running() // an idempotent one runs again, elsewhere
	sure.release()
	if p, err := surely.Wait(t.Context()); p == first || err != nil {
		t.Errorf("an idempotent neighbour: %v, %v; want the outcome of its second run", p, err)
	}
}

// TestHybridCancel: a cancelled call that listens costs nobody anything.
func TestHybridCancel(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Threads: 2}
	closing(t, pool)
	stays, goes := newGrip(t), newGrip(t)
	staying := holding.On(pool).Go(t.Context(), stays.arg)
	going := holding.On(pool).Go(t.Context(), goes.arg)
	stays.running()
	goes.running()
	going.Cancel()
	if _, err := going.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	stays.release()
	if _, err := staying.Wait(t.Context()); err != nil {
		t.Errorf("its neighbour: %v", err)
	}
	if s := pool.Stats(); s.Started != 1 || s.Ended != 0 {
		t.Errorf("it cost a worker: %+v", s)
	}
}

// TestGoexitInThread: a task that ends its thread's goroutine gets a successor.
func TestGoexitInThread(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Threads: 2}
	closing(t, pool)
	for range 10 {
		var p *tandem.PanicError
		if _, err := ending.On(pool).Call(t.Context(), "goexit"); !errors.As(err, &p) {
			t.Fatalf("got %v, want *PanicError", err)
		}
	}
	if s := pool.Stats(); s.Started != 1 || s.Idle != 2 {
		t.Errorf("after ten of them: %+v, want the same worker with both threads", s)
	}
}
