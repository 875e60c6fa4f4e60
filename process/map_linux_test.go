package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// gated is an item of a Map. With a pipe it waits until somebody opens the other end.
type gated struct {
	N    int
	Pipe string
}

var waiting = tandem.NewTask("waiting", func(_ context.Context, in gated) (int, error) {
	if in.Pipe != "" {
		if _, err := os.ReadFile(in.Pipe); err != nil {
			return 0, err
		}
	}
	return in.N, nil
})

// fifo makes a named pipe.
func fifo(t *testing.T) string {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return pipe
}

// letGo ends the wait of who reads a pipe, as soon as somebody does.
func letGo(t *testing.T, pipe string) {
	t.Helper()
	f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestSlowItems: items that take long hold nothing back, wherever they lie in chunks
// of short ones: all others come while these still run.
func TestSlowItems(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the failure, should they wait
	defer cancel()
	const items = 6000
	pipes := map[int]string{3000: "", 3001: "", 3700: ""}
	for n := range pipes {
		pipes[n] = fifo(t)
	}
	pool := &process.Pool{Workers: len(pipes) + 1}
	closing(t, pool)
	seq := func(yield func(gated) bool) {
		for n := 0; n < items && yield(gated{n, pipes[n]}); n++ {
		}
	}
	seen := make([]bool, items)
	came := 0
	for it := range waiting.On(pool).Unordered(ctx, seq) {
		if it.Err != nil || it.Out != it.In.N || seen[it.In.N] {
			t.Fatalf("item %d: %d, %v, after %d others; seen before: %v", it.In.N, it.Out, it.Err, came, it.Index >= 0 && seen[it.In.N])
		}
		seen[it.In.N] = true
		if came++; came == items-len(pipes) {
			for n, pipe := range pipes {
				if seen[n] {
					t.Errorf("item %d came before it was let go", n)
				}
				letGo(t, pipe)
			}
		}
	}
	if came != items {
		t.Errorf("%d of %d items came", came, items)
	}
}

// slowly is waiting for items that take some time.
var slowly = tandem.NewTask("slowly", func(_ context.Context, in gated) (int, error) {
	for begin := time.Now(); time.Since(begin) < 100*time.Microsecond; {
	}
	_, err := os.ReadFile(in.Pipe)
	return in.N, err
})

// TestSlowItemAndResize: what waits behind an item that takes long, in a pool of one
// worker, goes to one that comes later.
func TestSlowItemAndResize(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the failure, should they wait
	defer cancel()
	const slow, items, window = 200, 400, 5 // so few that chunks have one item
	pipe := fifo(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	seq := func(yield func(gated) bool) {
		for n, from := 0, os.DevNull; n < items && yield(gated{n, from}); n++ {
			if from = os.DevNull; n == slow-1 {
				from = pipe
			}
		}
	}
	came := 0
	for it := range slowly.On(pool).Window(window).Unordered(ctx, seq) {
		if it.Err != nil {
			t.Fatalf("item %d: %v, after %d others", it.Index, it.Err, came)
		}
		switch came++; came {
		case slow:
			// What was not sent waits for another place, or all was sent.
			eventually(t, "nothing goes on", func() bool { s := pool.Stats(); return s.Queued == 1 || s.Running == window })
			if err := pool.Resize(2); err != nil {
				t.Fatal(err)
			}
		case items - 1:
			letGo(t, pipe)
		}
	}
	if came != items {
		t.Errorf("%d of %d items came", came, items)
	}
}

// TestResizeInMap: a Map uses the workers that a pool has got since it began, however
// its items travel.
func TestResizeInMap(t *testing.T) {
	leaveNothing(t)
	for name, pool := range map[string]*process.Pool{
		"in chunks": {Workers: 1}, "over sockets": {Workers: 1, Transport: process.Sockets}, "counted": {Workers: 1, MaxTasks: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			closing(t, pool)
			const width = 3
			var pipes []string
			for range width {
				pipes = append(pipes, fifo(t))
			}
			over := make(chan error, 1)
			go func() {
				var failed error
				for it := range waiting.On(pool).Window(width).Unordered(ctx, func(yield func(gated) bool) {
					for n := 0; n < width && yield(gated{n, pipes[n]}); n++ {
					}
				}) {
					failed = errors.Join(failed, it.Err)
				}
				over <- failed
			}()
			eventually(t, "the Map has begun", func() bool { return pool.Stats().Running == 1 })
			if err := pool.Resize(width); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all items run", func() bool { return pool.Stats().Running == width })
			for _, pipe := range pipes {
				letGo(t, pipe)
			}
			if err := <-over; err != nil {
				t.Error(err)
			}
		})
	}
}

var fallible = tandem.NewTask("fallible", func(_ context.Context, in gated) (int, error) {
	if in.Pipe != "" {
		if err := os.Remove(in.Pipe); err == nil { // the first time
			os.Exit(3)
		}
	}
	return in.N, nil
}).Idempotent()

// TestDeathInChunk: an idempotent item in which a worker dies runs again, and is
// counted once.
func TestDeathInChunk(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 2}
	closing(t, pool)
	const items = 4000
	mortal := map[int]string{2000: "", 2001: "", 3999: ""}
	for n := range mortal {
		mortal[n] = filepath.Join(t.TempDir(), "mark")
		if err := os.WriteFile(mortal[n], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	seq := func(yield func(gated) bool) {
		for n := 0; n < items && yield(gated{n, mortal[n]}); n++ {
		}
	}
	next := 0
	for got, err := range fallible.On(pool).Map(t.Context(), seq) {
		if err != nil || got != next {
			t.Errorf("item %d: %d, %v", next, got, err)
		}
		next++
	}
	if s := pool.Stats(); next != items || s.Done != items || s.Failed != 0 || s.Crashed < uint64(len(mortal)) {
		t.Errorf("%d of %d items, %+v", next, items, s)
	}
}

var (
	pipeName = tandem.NewVar("process_test.pipe", "")
	stopsAt  = tandem.NewTask("stopsAt", func(_ context.Context, in [2]int32) (int32, error) {
		if in[0] == in[1] {
			if _, err := os.ReadFile(pipeName.Get()); err != nil {
				return 0, err
			}
		}
		return in[0], nil
	})
)

// TestSlowAmongTiny: while items are so short that one worker has time for all of
// them, one that takes long is not what the others wait for.
func TestSlowAmongTiny(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the failure, should they wait
	defer cancel()
	const slow, items = 200000, 200100
	pipe := fifo(t)
	defer pipeName.Set(pipeName.Get())
	pipeName.Set(pipe)
	pool := &process.Pool{Workers: 2}
	closing(t, pool)
	before, after := make(chan struct{}), make(chan struct{})
	var hold *os.File
	seq := func(yield func([2]int32) bool) {
		for n := int32(0); n < items && yield([2]int32{n, slow}); n++ {
			switch n {
			case slow - 1: // it comes alone, to a place that has nothing else to do
				wait(ctx, before)
			case slow:
				var err error
				if hold, err = os.OpenFile(pipe, os.O_WRONLY, 0); err != nil { // waits until it runs
					t.Error(err)
				}
			case items - 2:
				wait(ctx, after)
			}
		}
	}
	came := 0
	for it := range stopsAt.On(pool).Unordered(ctx, seq) {
		if it.Err != nil || int(it.Out) != it.Index {
			t.Fatalf("item %d: %d, %v, after %d others", it.Index, it.Out, it.Err, came)
		}
		switch came++; came {
		case slow:
			close(before)
		case items - 2: // all but the slow one and the last
			close(after)
			hold.Close()
		}
	}
	if came != items {
		t.Errorf("%d of %d items came", came, items)
	}
}

func wait(ctx context.Context, c <-chan struct{}) {
	select {
	case <-c:
	case <-ctx.Done():
	}
}

// TestSlowItemOfAnotherMap: an item that has its place behind one of another Map, which
// takes long, goes to a worker that is free.
func TestSlowItemOfAnotherMap(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the failure, should it wait
	defer cancel()
	pool := &process.Pool{Workers: 2}
	closing(t, pool)
	all := func(ins ...gated) <-chan error {
		over := make(chan error, 1)
		go func() {
			_, err := waiting.On(pool).All(ctx, ins)
			over <- err
		}()
		return over
	}
	for round := range 40 { // which goroutine of a Map has which item is chance
		for range 200 { // the pool learns that calls are short
			if _, err := waiting.On(pool).Call(ctx, gated{}); err != nil {
				t.Fatal(err)
			}
		}
		var slow []gated
		for n := range 2 {
			slow = append(slow, gated{n, fifo(t)})
		}
		open := func(n int) {
			letGo(t, slow[n].Pipe)
		}
		first := all(slow...)
		eventually(t, "the items run", func() bool { return pool.Stats().Running == 2 })
		second := all(gated{})
		eventually(t, "one waits behind them", func() bool { s := pool.Stats(); return s.Running+s.Queued == 3 })
		open(round % 2)
		if err := <-second; err != nil {
			t.Fatalf("round %d: the item behind another: %v", round, err)
		}
		open(1 - round%2)
		if err := <-first; err != nil {
			t.Fatal(err)
		}
	}
}

// weighty is a gated item that may be too large to go with others.
type weighty struct {
	gated
	Load []byte
}

var carrying = tandem.NewTask("carrying", func(_ context.Context, in weighty) (int, error) {
	if in.Pipe != "" {
		if _, err := os.ReadFile(in.Pipe); err != nil {
			return 0, err
		}
	}
	return in.N, nil
})

// TestSlowAlone: nor does an item that goes alone, because it is large, hold back what is
// in its chunk, and whoever it should have asked for help.
func TestSlowAlone(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the failure, should they wait
	defer cancel()
	const slow, items = 10000, 20000
	pipe := fifo(t)
	pool := &process.Pool{Workers: 2}
	closing(t, pool)
	seq := func(yield func(weighty) bool) {
		for n := range items {
			in := weighty{gated: gated{N: n}}
			if n == slow {
				in.Pipe, in.Load = pipe, make([]byte, 8<<10)
			}
			if !yield(in) {
				return
			}
		}
	}
	came := 0
	for it := range carrying.On(pool).Unordered(ctx, seq) {
		if it.Err != nil || it.Out != it.Index {
			t.Fatalf("item %d: %d, %v, after %d others", it.Index, it.Out, it.Err, came)
		}
		if came++; came == items-1 {
			letGo(t, pipe)
		}
	}
	if came != items {
		t.Errorf("%d of %d items came", came, items)
	}
}
