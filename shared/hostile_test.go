//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// waitable is what the tests of all things do with one of them, for a moment.
type waitable struct {
	name    string
	segment func() []byte
	use     func(ctx context.Context) error
	close   func() error
}

// waitables makes one of each.
func waitables(t testing.TB) []waitable {
	e, s, g := newEvent(t), newSemaphore(t, 2), newGroup(t)
	o, b, rw, c := newOnce(t), newBarrier(t, 2), newRWMutex(t), newCond(t)
	line, words := newLine(t, 4), newWords(t, 4, 1000)
	nothing := func() error { return nil }
	return []waitable{
		{"Event", e.Segment, func(ctx context.Context) error {
			e.Clear()
			go e.Set()
			e.IsSet()
			return e.Wait(ctx)
		}, e.Close},
		{"Semaphore", s.Segment, func(ctx context.Context) error { s.TryAcquire(); return s.With(ctx, nothing) }, s.Close},
		{"WaitGroup", g.Segment, func(ctx context.Context) error { g.Add(1); go g.Done(); return g.Wait(ctx) }, g.Close},
		{"Once", o.Segment, func(ctx context.Context) error { return o.Do(ctx, func() error { return errCause }) }, o.Close},
		{"Barrier", b.Segment, func(ctx context.Context) error {
			b.Reset()
			go b.Wait(ctx)
			_, err := b.Wait(ctx)
			return err
		}, b.Close},
		{"RWMutex", rw.Segment, func(ctx context.Context) error {
			return errors.Join(rw.RWith(ctx, nothing), rw.With(ctx, nothing), rw.Repair(ctx, func(*shared.OwnerDiedError) error { return nil }))
		}, rw.Close},
		{"Cond", c.Cond.Segment, func(ctx context.Context) error {
			go c.Cond.Broadcast()
			first := true
			return c.Cond.When(ctx, func() bool { first = !first; return first }, nothing)
		}, c.Cond.Close},
		{"Queue", line.Segment, func(ctx context.Context) error {
			into := make([]ware, 3)
			go line.PutAll(ctx, into)
			<-line.Chan(ctx)
			line.TryPut(into[0])
			line.TryGet()
			line.GetSome(ctx, into)
			line.TaskDone()
			return line.Join(ctx)
		}, line.Close},
		{"Queue of strings", words.Segment, func(ctx context.Context) error {
			into := make([]string, 3)
			go words.PutAll(ctx, []string{"a", "bc", "def"})
			<-words.Chan(ctx)
			words.Put(ctx, "ghi")
			words.GetSome(ctx, into)
			return words.Join(ctx)
		}, words.Close},
	}
}

// TestHostile: somebody writes anything anywhere behind the lock. Who uses it gets
// wrong answers, errors and panics of misuse; and never a fault, a wait beyond its
// context, or ever more memory.
func TestHostile(t *testing.T) {
	const table = 128 // behind the lock; see internal/monitor
	for _, w := range waitables(t) {
		t.Run(w.name, func(t *testing.T) {
			stop := make(chan struct{})
			var wg sync.WaitGroup
			memory := w.segment()[table:]
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					scribble(memory)
				}
			})
			before := runtime.NumGoroutine()
			for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
				ctx, cancel := timeout(2 * time.Millisecond)
				over := make(chan struct{})
				go func() {
					defer close(over)
					defer func() {
						if v := recover(); v != nil {
							if _, fault := v.(runtime.Error); fault {
								panic(v)
							}
						}
					}()
					w.use(ctx)
				}()
				select {
				case <-over:
				case <-time.After(20 * time.Second):
					t.Fatal("a wait did not end with its context")
				}
				cancel()
			}
			close(stop)
			wg.Wait()
			w.close()
			until(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}

// TestStuck: a process that was stopped inside holds everybody up, and a context
// ends that as it ends every waiting.
func TestStuck(t *testing.T) {
	c := newCond(t)
	s, e, g, o, b, rw := newSemaphore(t, 1), newEvent(t), newGroup(t), newOnce(t), newBarrier(t, 2), newRWMutex(t)
	q := newLine(t, 1)
	s.Acquire(background)
	g.Add(1)
	ctx, cancel := context.WithCancelCause(background)
	before := make(chan error)
	go func() { before <- s.Acquire(ctx) }()
	go func() { before <- e.Wait(ctx) }()
	until(t, "two wait", func() bool { return s.Waiting()+e.Waiting() == 2 })
	for _, segment := range [][]byte{s.Segment(), e.Segment(), g.Segment(), o.Segment(), b.Segment(), rw.Segment(), c.Cond.Segment(), q.Segment()} {
		// Who waits is counted while he is still inside.
		until(t, "nobody is inside", func() bool { return binary.NativeEndian.Uint64(segment[64:]) == 0 })
		binary.NativeEndian.PutUint64(segment[64:], 1<<21) // a thread that never ends
	}
	cancel(errCause)
	for range 2 {
		if err := <-before; err != errCause {
			t.Errorf("who waited before: %v", err)
		}
	}
	_, meet := b.Wait(ctx)
	_, get := q.Get(ctx)
	nothing := func() error { t.Error("ran"); return nil }
	for what, err := range map[string]error{
		"Acquire": s.Acquire(ctx), "Event.Wait": e.Wait(ctx), "WaitGroup.Wait": g.Wait(ctx), "Do": o.Do(ctx, nothing),
		"Barrier.Wait": meet, "Lock": rw.Lock(ctx), "RLock": rw.RLock(ctx), "Repair": rw.Repair(ctx, nil),
		"Put": q.Put(ctx, ware{}), "Get": get, "Join": q.Join(ctx),
		"When": c.Cond.When(ctx, func() bool { return false }, nothing),
	} {
		if err != errCause {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !c.Lock.TryLock() {
		t.Error("the lock of the condition is still held")
	}
	c.Lock.Unlock()
}

func scribble(p []byte) {
	i := rand.IntN(len(p)/8) * 8
	if rand.IntN(2) == 0 {
		i %= 512 // the words and the first places
	}
	for k := range 8 {
		p[i+k] = byte(rand.Uint32() >> (rand.Uint32() % 9))
	}
}

// TestNothingLeftOfAny: closed or forgotten, while somebody waits or not, nothing
// stays: no descriptor, no mapping, no goroutine.
func TestNothingLeftOfAny(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 && countFiles(t) == 0 })
	before := runtime.NumGoroutine()
	for i := range 20 {
		ctx := soon(t)
		e, err1 := shared.NewEvent()
		s, err2 := shared.NewSemaphore(1)
		mu, err3 := shared.NewMutex()
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		c, err1 := shared.NewCond(mu)
		rw, err2 := shared.NewRWMutex()
		again, err3 := travel(rw)
		q, err4 := shared.NewQueue[string](3)
		if err := errors.Join(err1, err2, err3, err4, s.Acquire(ctx), again.RLock(ctx)); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 { // the others are forgotten, with what they hold
			got := make(chan error)
			go func() { got <- e.Wait(ctx) }()
			go func() { got <- s.Acquire(ctx) }()
			items := q.Chan(ctx)
			until(t, "three wait", func() bool { return e.Waiting()+s.Waiting()+q.Waiting() == 3 })
			for _, thing := range []interface{ Close() error }{e, s, mu, c, rw, again, q} {
				if err := errors.Join(thing.Close(), thing.Close()); err != nil {
					t.Error(err)
				}
			}
			if <-got == nil || <-got == nil {
				t.Error("waiting at close did not fail")
			}
			if _, open := <-items; open {
				t.Error("an item came at close")
			}
		}
	}
	settle(t, "segments and descriptors go", func() bool { return segments(t) == 0 && countFiles(t) == 0 })
	settle(t, "goroutines go", func() bool { return runtime.NumGoroutine() <= before })
}

var (
	_ = scene("tell the child", func(ctx context.Context, c cast) (int, error) {
		c.Role = "wait for the event"
		h, err := process.Start(ctx, process.Config{}, act, c)
		if err != nil {
			return 0, err
		}
		if err := c.Sem.Acquire(ctx); err != nil { // of the sibling
			return 0, err
		}
		return h.Wait(ctx)
	})
	_ = scene("hold, and let go when told", func(ctx context.Context, c cast) (int, error) {
		return 0, c.Sem.With(ctx, func() error { c.Ready.Set(); return c.Event.Wait(ctx) })
	})
)

// TestFamily: parent, children and grandchild have the same things.
func TestFamily(t *testing.T) {
	c := cast{Event: newEvent(t), Ready: newEvent(t), Sem: newSemaphore(t, 1)}
	c.Role = "hold, and let go when told"
	sibling := alone(t, c)
	if err := c.Ready.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	c.Role = "tell the child"
	other := alone(t, c)
	until(t, "the grandchild waits, and its parent, and its uncle", func() bool {
		return c.Event.Waiting() == 2 && c.Sem.Waiting() == 1
	})
	c.Event.Set()
	for _, h := range []*process.Handle[int]{sibling, other} {
		if _, err := h.Wait(soon(t)); err != nil {
			t.Error(err)
		}
	}
}

var makeOne = tandem.NewTask("make one", func(ctx context.Context, n int) (*shared.Semaphore, error) {
	s, err := shared.NewSemaphore(n)
	if err != nil {
		return nil, err
	}
	return s, s.Acquire(ctx)
})

// TestFromResult: what a child made and returned is the parent's too, and when the
// child has ended, so is what the child held.
func TestFromResult(t *testing.T) {
	h, err := process.Start(t.Context(), process.Config{}, makeOne, 2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Wait(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	<-h.Process.Done()
	allFree(t, s, 2)
}

// TestWrongNumbers: a number of permits or parties that cannot be is refused where it
// arrives.
func TestWrongNumbers(t *testing.T) {
	const word = 144 // see internal/monitor
	sem, meet := newSemaphore(t, 2), newBarrier(t, 2)
	for says, hostile := range map[string]struct {
		segment []byte
		c       cast
	}{
		"shared.Semaphore: one with": {sem.Segment(), cast{Sem: sem}},
		"shared.Barrier: one of":     {meet.Segment(), cast{Meet: meet}},
	} {
		for _, n := range []uint64{0, 1 << 32} {
			binary.NativeEndian.PutUint64(hostile.segment[word:], n)
			h, err := process.Start(soon(t), process.Config{}, act, hostile.c)
			if err == nil {
				_, err = h.Wait(soon(t))
			}
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s %d: %v", says, n, err)
			}
		}
	}
}
