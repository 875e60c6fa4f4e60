package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var pid = tandem.NewTask("pid", func(context.Context, int) (int, error) { return os.Getpid(), nil })

// distinct is how many different numbers there are.
func distinct(numbers []int) int {
	slices.Sort(numbers)
	return len(slices.Compact(numbers))
}

func TestPoolDefaults(t *testing.T) {
	leaveNothing(t)
	var pool process.Pool
	closing(t, &pool)
	if pool.Width() != tandem.CPUs() {
		t.Errorf("the zero pool is %d wide, want CPUs() = %d", pool.Width(), tandem.CPUs())
	}
	if s := pool.Stats(); s != (process.Stats{}) {
		t.Errorf("an unused pool has the stats %+v", s)
	}
	if v, err := double.On(&pool).Call(t.Context(), 2); v != 4 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	if s := pool.Stats(); s.Workers != 1 || s.Started != 1 || s.Done != 1 || s.Idle != 1 {
		t.Errorf("after one call: %+v; want one worker, started because it was needed", s)
	}
	hybrid := &process.Pool{Workers: 3, Threads: 4}
	if hybrid.Width() != 12 {
		t.Errorf("3 workers with 4 threads are %d wide", hybrid.Width())
	}
}

func TestPoolRefuses(t *testing.T) {
	for want, pool := range map[string]*process.Pool{
		"Pool.Workers is negative":      {Workers: -1},
		"Pool.Threads is negative":      {Threads: -1},
		"Pool.MaxTasks is negative":     {MaxTasks: -1},
		"Pool.Queue is negative":        {Queue: -1},
		"at most 62":                    {Threads: 63},
		"Limits.Time is negative":       {Limits: tandem.Limits{Time: -1}},
		"use at least":                  {Limits: tandem.Limits{Memory: 1}},
		"Config.MaxStack is negative":   {Config: process.Config{MaxStack: -1}},
		"InitTimeout is negative (-1ns": {Config: process.Config{InitTimeout: -1}},
	} {
		_, call := double.On(pool).Call(t.Context(), 1)
		_, future := double.On(pool).Go(t.Context(), 1).Wait(t.Context())
		for how, err := range map[string]error{"Call": call, "Go": future, "Start": pool.Start(t.Context()), "Resize": pool.Resize(2)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want an error that says %q", how, err, want)
			}
		}
		if pool.Width() < 1 {
			t.Errorf("%s: width %d", want, pool.Width())
		}
		if err := pool.Close(); err != nil {
			t.Errorf("%s: Close: %v", want, err)
		}
	}
	var pool process.Pool
	for how, err := range map[string]error{"Start": pool.Start(nil), "Shutdown": pool.Shutdown(nil)} {
		if err == nil || !strings.Contains(err.Error(), "context is nil") {
			t.Errorf("%s with a nil context: %v", how, err)
		}
	}
	if err := pool.Resize(0); err == nil || !strings.Contains(err.Error(), "at least one") {
		t.Errorf("Resize(0): %v", err)
	}
}

func TestPoolStart(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 3, Name: "early"}
	closing(t, pool)
	for range 2 {
		if err := pool.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := pool.Stats(); s.Workers != 3 || s.Idle != 3 || s.Started != 3 {
			t.Errorf("after Start: %+v, want three workers that serve", s)
		}
	}
	var names []string
	for _, p := range process.Children() {
		names = append(names, p.Name())
	}
	slices.Sort(names)
	if fmt.Sprint(names) != "[early-1 early-2 early-3]" {
		t.Errorf("the workers are called %v", names)
	}
	// A pool that was started keeps its workers: one that dies is replaced.
	kill(t, process.Children()[0].PID())
	eventually(t, "the dead worker is replaced", func() bool { s := pool.Stats(); return s.Started == 4 && s.Idle == 3 && s.Ended == 1 })
}

func TestMaxTasks(t *testing.T) {
	leaveNothing(t)
	for _, most := range []int{1, 4} {
		pool := &process.Pool{Workers: 1, MaxTasks: most}
		var pids []int
		for range 12 {
			p, err := pid.On(pool).Call(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, p)
		}
		for i := 0; i < len(pids); { // each worker's calls come in a row
			n := 1
			for i+n < len(pids) && pids[i+n] == pids[i] {
				n++
			}
			if least := most - most/4; n > most || i+n < len(pids) && n < least {
				t.Errorf("MaxTasks %d: a worker had %d calls, want %d to %d: %v", most, n, least, most, pids)
			}
			i += n
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestQueue(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 2, Queue: 2}
	closing(t, pool)
	var grips []*grip
	var calls []*tandem.Future[int]
	for range 4 { // two run, two wait; from the start, when there is no worker yet
		g := newGrip(t)
		grips = append(grips, g)
		calls = append(calls, holding.On(pool).Go(t.Context(), g.arg))
	}
	for range 3 {
		if _, err := double.On(pool).Call(t.Context(), 1); !errors.Is(err, tandem.ErrQueueFull) {
			t.Errorf("one more: %v, want ErrQueueFull", err)
		}
	}
	grips[0].running()
	grips[1].running()
	if s := pool.Stats(); s.Queued != 2 || s.Running != 2 {
		t.Errorf("stats %+v, want two calls that run and two that wait", s)
	}
	grips[2].waiting()
	calls[3].Cancel() // leaves the queue at once
	if _, err := calls[3].Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the queue: %v", err)
	}
	last := double.On(pool).Go(t.Context(), 5)
	for _, g := range grips {
		g.release()
	}
	for _, c := range calls[:3] {
		if _, err := c.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if v, err := last.Wait(t.Context()); v != 10 || err != nil {
		t.Errorf("the call that took the free place: %v, %v", v, err)
	}
	grips[3].waiting()
}

type remarkArg struct{ File, Line string }

var remarking = tandem.NewTask("remarking", func(_ context.Context, r remarkArg) (int, error) {
	return len(r.Line), remark(r.File, r.Line)
})

// TestOrder: calls get their turn in the order in which they were made.
func TestOrder(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	first := newGrip(t)
	holding.On(pool).Go(t.Context(), first.arg)
	first.running()
	file := filepath.Join(t.TempDir(), "order")
	var calls []*tandem.Future[int]
	want := ""
	for i := range 20 {
		calls = append(calls, remarking.On(pool).Go(t.Context(), remarkArg{file, fmt.Sprint(i)}))
		want += fmt.Sprintln(i)
	}
	if s := pool.Stats(); s.Queued != 20 {
		t.Errorf("Go returned before its call was in the queue: %+v", s)
	}
	first.release()
	for _, c := range calls {
		if _, err := c.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(file); string(got) != want || err != nil {
		t.Errorf("the calls ran in the order\n%s(%v), want\n%s", got, err, want)
	}
}

func TestResize(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Resize(3); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three workers serve", func() bool { return pool.Stats().Idle == 3 })
	if pool.Width() != 3 {
		t.Errorf("width %d after Resize(3)", pool.Width())
	}
	var grips []*grip
	var calls []*tandem.Future[int]
	for range 3 {
		g := newGrip(t)
		grips = append(grips, g)
		calls = append(calls, holding.On(pool).Go(t.Context(), g.arg))
		g.running()
	}
	if err := pool.Resize(1); err != nil { // all are busy: two leave when their calls end
		t.Fatal(err)
	}
	if s := pool.Stats(); s.Running != 3 {
		t.Errorf("Resize(1) stopped what ran: %+v", s)
	}
	for i, g := range grips {
		g.release()
		if _, err := calls[i].Wait(t.Context()); err != nil {
			t.Errorf("a call that ran when the pool shrank: %v", err)
		}
	}
	eventually(t, "one worker is left", func() bool { s := pool.Stats(); return s.Workers == 1 && s.Idle == 1 && s.Ended == 2 })
	pids, err := pid.On(pool).All(t.Context(), make([]int, 10))
	if err != nil || distinct(pids) != 1 {
		t.Errorf("after Resize(1): %v, %v; want one worker", pids, err)
	}
	// Up and down at once: births that are no longer wanted do not stay.
	if err := errors.Join(pool.Resize(6), pool.Resize(2)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two workers are left", func() bool { s := pool.Stats(); return s.Workers == 2 && s.Idle == 2 && len(process.Children()) == 2 })
}

// TestResizeForThoseBehind: a call that waits in the one worker's lane, behind one that
// takes long, goes to the second worker when there may be one.
func TestResizeForThoseBehind(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	for n := range 1000 { // the pool learns that calls are short
		if _, err := double.On(pool).Call(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	g := newGrip(t)
	long := holding.On(pool).Go(ctx, g.arg)
	g.running()
	short := double.On(pool).Go(ctx, 21)
	eventually(t, "the short call is accepted", func() bool { s := pool.Stats(); return s.Running+s.Queued == 2 })
	if err := pool.Resize(2); err != nil {
		t.Fatal(err)
	}
	if got, err := short.Wait(ctx); got != 42 || err != nil {
		t.Errorf("the short call: %v, %v", got, err)
	}
	g.release()
	if _, err := long.Wait(ctx); err != nil {
		t.Error(err)
	}
}

func TestProgress(t *testing.T) {
	leaveNothing(t)
	var mu sync.Mutex
	var told []process.Progress
	pool := &process.Pool{Workers: 1, Progress: func(p process.Progress) {
		mu.Lock()
		told = append(told, p)
		mu.Unlock()
	}}
	closing(t, pool)
	f := ending.On(pool)
	f.Call(t.Context(), "value")
	f.Call(t.Context(), "error")
	f.Call(t.Context(), "exit 3")
	f.Limit(tandem.Limits{Time: time.Nanosecond, Grace: -1}).Call(t.Context(), "value")
	if len(told) != 4 {
		t.Fatalf("told of %d calls, want 4", len(told))
	}
	for i, p := range told {
		if p.Task != ending.FullName() || p.PID == 0 || p.Worker == 0 || p.Run <= 0 || p.Wait < 0 || int(p.Stats.Done+p.Stats.Failed) != i+1 {
			t.Errorf("call %d: %+v", i, p)
		}
	}
	if told[0].Err != nil || told[1].Err == nil || told[2].Err == nil || told[2].Worker != 1 || told[2].Stats.Crashed != 1 {
		t.Errorf("errors %v, %v, %v; crashed %d", told[0].Err, told[1].Err, told[2].Err, told[2].Stats.Crashed)
	}
	if s := pool.Stats(); s.Done+s.Failed != 4 || s.Running != 0 || s.Queued != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestCopiedPool(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	if _, err := double.On(pool).Call(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	copied := copyOf(pool)
	_, call := double.On(copied).Call(t.Context(), 1)
	_, future := double.On(copied).Go(t.Context(), 1).Wait(t.Context())
	_, all := double.On(copied).All(t.Context(), []int{1})
	for how, err := range map[string]error{
		"Call": call, "Go": future, "All": all, "Start": copied.Start(t.Context()),
		"Resize": copied.Resize(2), "Shutdown": copied.Shutdown(t.Context()), "Close": copied.Close(),
	} {
		if err == nil || !strings.Contains(err.Error(), "copied") {
			t.Errorf("%s of a copied pool: %v, want an error that says so", how, err)
		}
	}
	if v, err := double.On(pool).Call(t.Context(), 2); v != 4 || err != nil {
		t.Errorf("the original afterwards: %v, %v", v, err)
	}
}

// copyOf does what vet forbids.
func copyOf(p *process.Pool) *process.Pool {
	v := reflect.New(reflect.TypeFor[process.Pool]())
	v.Elem().Set(reflect.ValueOf(p).Elem())
	return v.Interface().(*process.Pool)
}

// clumsy cannot be encoded.
type clumsy struct{}

func (clumsy) MarshalBinary() ([]byte, error)  { return nil, errors.New("too clumsy to travel") }
func (*clumsy) UnmarshalBinary(b []byte) error { return nil }

var traveling = tandem.NewTask("traveling", func(context.Context, clumsy) (int, error) { return 0, nil })

// TestNotEncoded: a call that was accepted and cannot be encoded does not wait for its
// turn, and no turn waits for it.
func TestNotEncoded(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	g := newGrip(t)
	long := holding.On(pool).Go(t.Context(), g.arg)
	g.running()
	for range 2 {
		call := traveling.On(pool).Go(t.Context(), clumsy{})
		select {
		case <-call.Done():
		case <-time.After(patience):
			t.Fatal("a call that cannot be encoded waits for a worker")
		}
		if _, err := call.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "clumsy") {
			t.Error(err)
		}
	}
	next := double.On(pool).Go(t.Context(), 21)
	g.release()
	if _, err := long.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := next.Wait(t.Context()); got != 42 || err != nil {
		t.Errorf("the next call: %v, %v", got, err)
	}
	if s := pool.Stats(); s.Queued != 0 || s.Running != 0 {
		t.Errorf("left: %+v", s)
	}
}

// TestRetryRefuses: a call that a Retry refuses leaves nothing in its pool.
func TestRetryRefuses(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	if _, err := double.On(tandem.Retry{Place: pool, Attempts: -1}).Go(t.Context(), 1).Wait(t.Context()); err == nil {
		t.Error("a negative number of attempts is taken")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := pool.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
