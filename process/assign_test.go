package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem"
)

// yard is an assignment with workers that are no processes.
type yard struct {
	*assignment
	t      *testing.T
	births int // begun, and not yet born or lost
	depth  int // of the lanes of workers to come
}

func newYard(t *testing.T, workers, lanes, queue int) *yard {
	y := &yard{t: t, depth: 1}
	y.assignment = newAssignment("yard", workers, lanes, queue, func() { y.births++ })
	return y
}

// bear ends a birth well, and returns the worker and whether the pool keeps it.
func (y *yard) bear() (*worker, bool) {
	y.t.Helper()
	if y.births == 0 {
		y.t.Fatal("no birth has begun")
	}
	y.births--
	w := &worker{}
	for i := range y.lanes {
		w.lanes = append(w.lanes, newLane(w, i, nil))
		w.lanes[i].depth = y.depth
	}
	return w, y.born(w)
}

// call claims a place as a caller does.
func (y *yard) call() claim {
	y.t.Helper()
	c, err := y.enterAndClaim(want{})
	if err != nil {
		y.t.Fatal(err)
	}
	return c
}

// got is the flight that a claim has by now, nil if it waits.
func got(c claim) *flight {
	if c.waiter == nil {
		return c.flight
	}
	select {
	case f := <-c.waiter.got:
		return f
	default:
		return nil
	}
}

func (y *yard) land(f *flight) *worker {
	leave, _ := y.over(f, clock(), 1, true)
	return leave
}

// TestLazyBirths: workers are born when calls need them, as many as needed, no more
// than allowed; a free one is used first.
func TestLazyBirths(t *testing.T) {
	y := newYard(t, 3, 1, 0)
	a := y.call()
	if y.births != 1 {
		t.Fatalf("%d births for one call", y.births)
	}
	first, _ := y.bear()
	la := got(a)
	if la == nil || la.lane.worker != first {
		t.Fatal("the call that waited did not get the worker")
	}
	y.land(la)
	b := y.call()
	if got(b).lane != la.lane || y.births != 0 {
		t.Error("a free worker was not used")
	}
	for range 5 {
		y.call()
	}
	if y.births != 2 {
		t.Errorf("%d births for five calls beside one worker of three", y.births)
	}
}

// TestFirstComeFirstServed: who waits longest is next; whoever gave up is skipped.
func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y := newYard(t, 1, 1, 0)
		running := y.call()
		y.bear()
		flight := got(running)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		order := make(chan int, 3)
		for i := range 3 {
			own := t.Context()
			if i == 0 {
				own = ctx
			}
			c := y.call()
			go func() {
				f, err := y.await(own, c)
				if err != nil {
					order <- -1
					y.release()
					return
				}
				order <- i
				y.land(f)
			}()
		}
		synctest.Wait()
		time.Sleep(2 * time.Second) // of the bubble's time: the first gives up
		synctest.Wait()
		y.land(flight)
		if a, b, c := <-order, <-order, <-order; a != -1 || b != 1 || c != 2 {
			t.Errorf("order %d, %d, %d; want the first to give up, then 1, then 2", a, b, c)
		}
		synctest.Wait()
		if y.accepted != 0 || y.queue.Len() != 0 || len(y.idle) != 1 {
			t.Errorf("left: %d calls, %d in the queue, %d idle", y.accepted, y.queue.Len(), len(y.idle))
		}
	})
}

// TestQueueBound: calls that workers on their way will take do not count.
func TestQueueBound(t *testing.T) {
	y := newYard(t, 2, 2, 3)
	for range 4 + 3 { // two workers of two lanes, and three that wait
		y.call()
	}
	if _, err := y.claim(want{}); !errors.Is(err, tandem.ErrQueueFull) {
		t.Errorf("the eighth call: %v, want ErrQueueFull", err)
	}
	y.bear()
	y.bear()
	if _, err := y.claim(want{}); !errors.Is(err, tandem.ErrQueueFull) {
		t.Errorf("when all lanes are taken: %v, want ErrQueueFull", err)
	}
}

// TestBroken: three failed births in a row with nobody alive break the pool, with
// the first cause; with somebody alive they do not.
func TestBroken(t *testing.T) {
	y := newYard(t, 2, 1, 0)
	c := y.call()
	cause := errors.New("the cause")
	for i := range stillbirths {
		if y.broken != nil || y.births == 0 {
			t.Fatalf("after %d failures: broken %v, %d births", i, y.broken, y.births)
		}
		y.births--
		y.unborn(cause, false)
	}
	if _, err := y.await(t.Context(), c); !errors.Is(err, cause) || !errors.Is(y.admit(), cause) || y.births != 0 {
		t.Errorf("the call that waited got %v, a new one %v, and %d births go on", err, y.admit(), y.births)
	}

	y = newYard(t, 2, 1, 0)
	y.keep()
	y.bear()
	for range 10 {
		y.births--
		y.unborn(cause, false)
	}
	if y.broken != nil || y.births != 1 {
		t.Errorf("with a worker alive: broken %v, %d births", y.broken, y.births)
	}
}

// TestRetire: a retired worker gets nothing new, is let go when its last call is
// over, once, and another may be born at once.
func TestRetire(t *testing.T) {
	y := newYard(t, 1, 2, 0)
	a, b := y.call(), y.call()
	w, _ := y.bear()
	la, lb := got(a), got(b)
	if y.retire(w) {
		t.Error("a busy worker was let go")
	}
	y.call()
	if y.births != 1 {
		t.Errorf("%d births for the call behind a retired worker", y.births)
	}
	if y.land(la) != nil || y.land(lb) != w {
		t.Error("the worker is let go with its last call, not before")
	}
	y.died(w)
	y.died(w)
	if len(y.workers) != 0 {
		t.Error("a dead worker is still there")
	}

	idle := newYard(t, 1, 1, 0)
	idle.keep()
	w, _ = idle.bear()
	if !idle.retire(w) || idle.retire(w) {
		t.Error("an idle worker is let go at once, and once")
	}
}

// chunk claims a place for a chunk of one item.
func (y *yard) chunk() claim {
	y.t.Helper()
	c, err := y.enterAndClaim(want{items: 1})
	if err != nil {
		y.t.Fatal(err)
	}
	return c
}

// TestChunksOfUnknownLength: the worker that comes first does not take what the second
// was begun for, before anybody knows how long an item takes.
func TestChunksOfUnknownLength(t *testing.T) {
	y := newYard(t, 2, 1, 0)
	y.depth = laneDepth
	a, b := y.chunk(), y.chunk()
	first, _ := y.bear()
	if f := got(a); f == nil || f.lane.worker != first {
		t.Fatal("the chunk that waited longest did not get the first worker")
	}
	if f := got(b); f != nil {
		t.Fatal("the second chunk waits behind the first, which may take for ever")
	}
	second, _ := y.bear()
	if f := got(b); f == nil || f.lane.worker != second {
		t.Error("the second chunk did not get the second worker")
	}
}

// TestChunksAndBirths: it does not when that is known either.
func TestChunksAndBirths(t *testing.T) {
	y := newYard(t, 2, 1, 0)
	y.depth = laneDepth
	y.pace.note(time.Microsecond)
	a, b := y.chunk(), y.chunk()
	y.bear()
	if got(a) == nil || got(b) != nil {
		t.Fatal("want the first chunk on the first worker, and the second waiting")
	}
	y.bear()
	c := y.chunk()
	if got(b) == nil || got(c) == nil {
		t.Error("the second chunk, or a third one behind others, has no place with all workers there")
	}
}

// TestDrain: new calls are refused, accepted ones get their workers, and quiet
// comes with the end of the last.
func TestDrain(t *testing.T) {
	y := newYard(t, 1, 1, 0)
	a, b := y.call(), y.call()
	y.drain()
	if err := y.admit(); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("a new call: %v, want ErrClosed", err)
	}
	y.bear()
	for _, c := range []claim{a, b} {
		select {
		case <-y.quiet:
			t.Fatal("quiet before the last call was over")
		default:
		}
		y.land(got(c))
	}
	<-y.quiet
	select {
	case <-y.full: // nobody may wait in Start for workers that will not come
	default:
		t.Error("full is open after drain")
	}
}

// TestRandomWays drives the machine at random and holds it to its rules.
func TestRandomWays(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		lanes := 1 + r.IntN(3)
		y := newYard(t, 1+r.IntN(3), lanes, 0)
		var waiting []claim
		var running []*flight
		alive := map[*worker]bool{}
		closedAt := 150 + r.IntN(50)
		for step := range 200 {
			if step == closedAt {
				y.close()
			}
			switch k := r.IntN(10); {
			case k < 4 && step < closedAt:
				waiting = append(waiting, y.call())
			case k < 6 && y.births > 0:
				if w, kept := y.bear(); kept {
					alive[w] = true
					w.most = r.IntN(4)
				}
			case k < 8 && len(running) > 0:
				i := r.IntN(len(running))
				f := running[i]
				running = append(running[:i], running[i+1:]...)
				y.land(f)
			case k == 8 && len(alive) > 0:
				for w := range alive { // any one
					delete(alive, w)
					y.died(w)
					kept := running[:0]
					for _, f := range running {
						if f.lane.worker == w {
							y.land(f)
						} else {
							kept = append(kept, f)
						}
					}
					running = kept
					break
				}
			case k == 9 && step < closedAt:
				y.resize(1 + r.IntN(4))
			}
			still := waiting[:0]
			for _, c := range waiting {
				f := got(c)
				switch {
				case f != nil:
					for _, other := range running {
						if other.lane == f.lane {
							t.Fatalf("seed %d, step %d: one lane has two calls", seed, step)
						}
					}
					running = append(running, f)
				case c.waiter.err != nil:
					y.release()
				default:
					still = append(still, c)
				}
			}
			waiting = still
			y.hold(seed, step, len(waiting), len(running))
		}
	}
}

// hold checks what is true after every step.
func (y *yard) hold(seed uint64, step, waiting, running int) {
	y.t.Helper()
	busy, serving := 0, 0
	for w := range y.workers {
		busy += w.busy
		if !w.retiring {
			serving++
		}
		if w.busy < 0 || w.busy > y.lanes {
			y.t.Fatalf("seed %d, step %d: a worker of %d lanes has %d calls", seed, step, y.lanes, w.busy)
		}
	}
	switch {
	case y.queue.Len() != waiting || y.accepted != waiting+running:
		y.t.Fatalf("seed %d, step %d: %d in the queue, %d accepted; %d wait and %d run", seed, step, y.queue.Len(), y.accepted, waiting, running)
	case busy != running:
		y.t.Fatalf("seed %d, step %d: %d lanes busy, %d calls run", seed, step, busy, running)
	case waiting > 0 && len(y.idle) > 0:
		y.t.Fatalf("seed %d, step %d: %d wait while %d lanes are free", seed, step, waiting, len(y.idle))
	case waiting > 0 && serving == 0 && y.births == 0:
		y.t.Fatalf("seed %d, step %d: %d wait, and nobody will come", seed, step, waiting)
	case y.births != y.assignment.births:
		y.t.Fatalf("seed %d, step %d: %d births begun, the machine counts %d", seed, step, y.births, y.assignment.births)
	}
}

// TestSpentLanes: a lane that idles takes a call that waits, though its worker has been
// given as many as it may have before it is replaced.
func TestSpentLanes(t *testing.T) {
	y := newYard(t, 2, 2, 0)
	a, b := y.call(), y.call()
	w := &worker{most: 1}
	y.births--
	for i := range y.lanes {
		w.lanes = append(w.lanes, newLane(w, i, nil))
	}
	y.born(w)
	if got(a) == nil || got(b) == nil {
		t.Errorf("a call waits, and %d lanes idle", len(y.idle))
	}
}
