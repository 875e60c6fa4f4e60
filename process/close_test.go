package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestShutdownOfLoop: of a loop that goes on Shutdown finishes what a worker has begun, and
// the rest fails.
func TestShutdownOfLoop(t *testing.T) {
	leaveNothing(t)
	for _, transport := range []process.Transport{0, process.Sockets} {
		pool := &process.Pool{Workers: 1, Transport: transport}
		closing(t, pool)
		begun, other := newGrip(t), newGrip(t)
		done := make(chan error)
		go func() {
			_, err := holding.On(pool).All(t.Context(), []hold{begun.arg, other.arg})
			done <- err
		}()
		begun.running()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := pool.Shutdown(ended); err == nil {
			t.Errorf("%v: Shutdown did not wait", transport)
		}
		begun.release()
		err := <-done
		failed, _ := errors.AsType[*tandem.ItemError](err)
		if !errors.Is(err, tandem.ErrClosed) || failed == nil || failed.Index != 1 {
			t.Errorf("%v: %v, want ErrClosed for item 1 alone", transport, err)
		}
		if err := pool.Shutdown(t.Context()); err != nil {
			t.Errorf("%v: Shutdown: %v", transport, err)
		}
	}
}

// TestShutdown finishes what was accepted and refuses what is new.
func TestShutdown(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Name: "closing time"}
	g := newGrip(t)
	running := holding.On(pool).Go(t.Context(), g.arg)
	g.running()
	var accepted []*tandem.Future[int]
	for i := range 5 {
		accepted = append(accepted, double.On(pool).Go(t.Context(), i))
	}
	short, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("no patience")
	cancel(cause)
	if err := pool.Shutdown(short); !errors.Is(err, cause) {
		t.Errorf("Shutdown with a context that has ended: %v, want its cause", err)
	}
	_, call := double.On(pool).Call(t.Context(), 1)
	_, future := double.On(pool).Go(t.Context(), 1).Wait(t.Context())
	for how, err := range map[string]error{"Call": call, "Go": future, "Start": pool.Start(t.Context()), "Resize": pool.Resize(2)} {
		if !errors.Is(err, tandem.ErrClosed) || !strings.Contains(err.Error(), "closing time") {
			t.Errorf("%s during Shutdown: %v, want ErrClosed with the pool's name", how, err)
		}
	}
	done := make(chan error)
	go func() { done <- pool.Shutdown(context.Background()) }()
	g.release()
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := running.Wait(t.Context()); err != nil {
		t.Errorf("what ran: %v", err)
	}
	for i, f := range accepted {
		select {
		case <-f.Done():
		default:
			t.Error("Shutdown returned before an accepted call had settled")
		}
		if v, err := f.Wait(t.Context()); v != 2*i || err != nil {
			t.Errorf("accepted call %d: %v, %v", i, v, err)
		}
	}
}

// TestClose fails what waits, asks what runs, and kills what does not listen.
func TestClose(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 2, Limits: tandem.Limits{Grace: 50 * time.Millisecond}}
	listens, deaf := newGrip(t), newGrip(t).deaf()
	asked := holding.On(pool).Go(t.Context(), listens.arg)
	killed := holding.On(pool).Go(t.Context(), deaf.arg)
	listens.running()
	deaf.running()
	var queued []*tandem.Future[int]
	for i := range 5 {
		queued = append(queued, double.On(pool).Go(t.Context(), i))
	}
	if err := pool.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	for _, f := range append(queued, asked, killed) {
		if _, err := f.Wait(t.Context()); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Errorf("Close, the second time: %v", err)
	}
	if err := pool.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown after Close: %v", err)
	}
	_, call := double.On(pool).Call(t.Context(), 1)
	_, all := double.On(pool).All(t.Context(), []int{1, 2})
	for how, err := range map[string]error{"Call": call, "All": all, "Start": pool.Start(t.Context()), "Resize": pool.Resize(1)} {
		if !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", how, err)
		}
	}
	if s := pool.Stats(); s.Workers != 0 || s.Running != 0 || s.Queued != 0 || s.Started != s.Ended {
		t.Errorf("after Close: %+v", s)
	}
}

func TestCloseUnused(t *testing.T) {
	leaveNothing(t)
	var closed, shut process.Pool
	for how, err := range map[string]error{"Close": closed.Close(), "Close again": closed.Close(), "Shutdown": shut.Shutdown(t.Context())} {
		if err != nil {
			t.Errorf("%s of an unused pool: %v", how, err)
		}
	}
}

// TestCloseAtAnyMoment: whatever is on its way when Close comes, it settles, Close
// returns, and nothing stays. Deaf tasks with all the time in the world would hold
// up a Close that missed one.
func TestCloseAtAnyMoment(t *testing.T) {
	leaveNothing(t)
	other := &process.Pool{Workers: 1}
	closing(t, other)
	for round := range 30 {
		pool := &process.Pool{Workers: 2, Threads: round % 3, Limits: tandem.Limits{Grace: -1}}
		var calls sync.WaitGroup
		begun := make(chan struct{}, 100)
		for range 6 {
			calls.Go(func() {
				begun <- struct{}{}
				_, err := sleeping.On(pool).Call(context.Background(), time.Hour)
				if !errors.Is(err, tandem.ErrClosed) {
					t.Errorf("round %d: %v, want ErrClosed", round, err)
				}
			})
		}
		for range round % 7 {
			<-begun
		}
		for range 5 * round { // so that Close comes at another moment each time
			double.On(other).Call(context.Background(), 1)
		}
		if err := pool.Close(); err != nil {
			t.Errorf("round %d: Close: %v", round, err)
		}
		calls.Wait()
	}
}

var sleeping = tandem.NewTask("sleeping", func(_ context.Context, d time.Duration) (int, error) {
	time.Sleep(d)
	return os.Getpid(), nil
})

// TestStartAndShutdown: a Start that waits for workers does not hold up the end.
func TestStartAndShutdown(t *testing.T) {
	leaveNothing(t)
	births := t.TempDir() + "/births"
	pool := &process.Pool{Workers: 1, Setup: load.With(hookPlan{Note: births, First: 1 << 20, How: "hang"})}
	started := make(chan error)
	go func() { started <- pool.Start(context.Background()) }()
	eventually(t, "Setup runs", func() bool { return remarks(t, births) > 0 })
	if err := pool.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-started; !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("Start: %v, want ErrClosed", err)
	}
}

// TestLeaks: what a pool or a process takes, it gives back, each time.
func TestLeaks(t *testing.T) {
	leaveNothing(t)
	threads := func() int { l, _ := os.ReadDir("/proc/self/task"); return len(l) }
	round := func() {
		pool := &process.Pool{Workers: 2, Threads: 2}
		if _, err := double.On(pool).All(t.Context(), make([]int, 20)); err != nil {
			t.Error(err)
		}
		ending.On(pool).Call(t.Context(), "exit 3")
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		h, err := process.Start(t.Context(), process.Config{}, double, 1)
		if err != nil {
			t.Error(err)
			return
		}
		h.Wait(t.Context())
	}
	for range 5 {
		round()
	}
	before := threads()
	for range 20 {
		round()
	}
	// The runtime keeps the threads that it once needed; it may have needed a few
	// more at once, but not one more for each process of 20 rounds.
	if after := threads(); after > before+8 {
		t.Errorf("%d threads after 5 rounds, %d after 25", before, after)
	}
}

// TestPoolsBeside: ending one pool does not disturb another.
func TestPoolsBeside(t *testing.T) {
	leaveNothing(t)
	stays := &process.Pool{Workers: 1}
	closing(t, stays)
	for range 10 {
		goes := &process.Pool{Workers: 1}
		a, err := pid.On(goes).Call(t.Context(), 0)
		b, err2 := pid.On(stays).Call(t.Context(), 0)
		if err := errors.Join(err, err2, goes.Close()); err != nil || a == b {
			t.Fatal(fmt.Sprint(a, b, err))
		}
	}
	if s := stays.Stats(); s.Started != 1 {
		t.Errorf("the pool that stays started %d workers", s.Started)
	}
}
