package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
)

// traffic is a yard with rings, whose workers begin and end calls when the test says so,
// with callers that do what callers do.
type traffic struct {
	*yard
	most    int // calls that a worker may have
	ends    map[*worker]*ring.Worker
	crew    []*worker // in the order of their births
	callers []*caller
}

// caller is who made a call, or sends a chunk.
type caller struct {
	as     want
	claim  claim
	flight *flight // nil: it waits in the queue
	sent   bool
	begun  bool // by the worker
	looked bool // somebody has looked once why it takes so long
}

func newTraffic(t *testing.T, workers int) *traffic {
	y := &traffic{yard: newYard(t, workers, 1, 0), ends: map[*worker]*ring.Worker{}}
	y.losses.rule.Max = 1000
	return y
}

// bear ends a birth.
func (y *traffic) bear() {
	rings, err := ring.Create(ring.Config{Lanes: 1, Slots: 8, Once: true})
	if err != nil {
		y.t.Fatal(err)
	}
	var theirs [2]*os.File
	for i, f := range rings.Files() {
		raw, _ := f.SyscallConn()
		raw.Control(func(fd uintptr) {
			n, err := syscall.Dup(int(fd))
			if err != nil {
				y.t.Fatal(err)
			}
			theirs[i] = os.NewFile(uintptr(n), "far end")
		})
	}
	far, err := ring.Open(theirs[0], theirs[1], nil, nil)
	if err != nil {
		y.t.Fatal(err)
	}
	w := &worker{rings: rings, most: y.most}
	l := newLane(w, 0, nil)
	l.ring, l.depth, l.retire = rings.Lanes()[0], 8, func() {}
	w.lanes = []*lane{l}
	y.births--
	y.born(w)
	y.ends[w], y.crew = far, append(y.crew, w)
}

// end gives everything back.
func (y *traffic) end() {
	for _, c := range y.callers {
		if c.flight != nil {
			c.flight.end() // no timer outlives the ring
		}
	}
	for w, far := range y.ends {
		w.rings.Close()
		far.Release()
	}
}

// come is a new caller.
func (y *traffic) come(as want) {
	c := &caller{as: as}
	var err error
	if c.claim, err = y.enterAndClaim(as); errors.Is(err, errFull) {
		return
	} else if err != nil {
		y.t.Fatal(err)
	}
	c.flight = c.claim.flight
	y.callers = append(y.callers, c)
}

// receive looks whether the caller has its place by now.
func (y *traffic) receive(c *caller) {
	if c.flight == nil {
		c.flight = got(c.claim)
	}
}

// send sends what has its place.
func (y *traffic) send(c *caller) {
	if c.flight == nil || c.sent {
		return
	}
	if err := c.flight.begin(context.Background(), "task", new(tandem.Limits), 1, false); err != nil {
		y.t.Fatal(err)
	}
	if c.flight.lane.ring.Publish(c.flight.slot, nil); c.as.items == 0 || !c.flight.lane.ring.Ready(c.flight.slot) {
		c.flight.Sleep()
	}
	c.sent = true
}

// look is what the timer of a chunk does, once.
func (y *traffic) look(c *caller) {
	if c.sent && c.as.items > 0 && !c.looked {
		c.looked = true
		y.slow(c.flight)
	}
}

// work has a worker begin the next call, or end it.
func (y *traffic) work(l *lane, ends bool) {
	for _, f := range l.row {
		c := y.callerOf(f)
		switch {
		case f.landed || c != nil && c.sent && l.ring.Ready(f.slot): // over, or taken back
			continue
		case c == nil || !c.sent:
			return // the worker waits for it
		case !c.begun:
			if _, err := y.ends[l.worker].Lanes()[0].Next(); err != nil {
				y.t.Fatal(err)
			}
			c.begun = true
		case ends:
			y.ends[l.worker].Lanes()[0].Done(nil)
		}
		return
	}
}

func (y *traffic) callerOf(f *flight) *caller {
	for _, c := range y.callers {
		if c.flight == f {
			return c
		}
	}
	return nil
}

// land ends what is over, and has what was not begun look for another place.
func (y *traffic) land(c *caller) {
	f := c.flight
	if !c.sent || !f.lane.ring.Ready(f.slot) {
		return
	}
	_, _, err := f.lane.ring.Wait(f.slot, nil, nil)
	f.end()
	again := err == ring.ErrTaken || err == ring.ErrUnstarted
	final := !again || c.as.items > 0
	y.over(f, clock(), 1, final)
	if again {
		next := want{alone: c.as.alone, items: c.as.items, front: !final}
		claim, err := claim{}, error(nil)
		if final {
			claim, err = y.enterAndClaim(next)
		} else {
			claim, err = y.claim(next)
		}
		if err != nil {
			y.t.Fatal(err)
		}
		*c = caller{as: next, claim: claim, flight: claim.flight}
		return
	}
	y.leave(c)
}

func (y *traffic) leave(c *caller) {
	i := slices.Index(y.callers, c)
	y.callers = slices.Delete(y.callers, i, i+1)
}

// giveUp ends the waiting for a place.
func (y *traffic) giveUp(c *caller) {
	if c.flight != nil {
		return
	}
	if c.flight, _ = y.await(unwilling(), c.claim); c.flight == nil {
		y.release()
		y.leave(c)
	}
}

// settle goes on until nothing happens any more but that calls run which do not end.
func (y *traffic) settle() {
	for round := 0; round < 8 || round < 100 && y.births > 0; round++ {
		for y.births > 0 {
			y.bear()
		}
		for _, c := range slices.Clone(y.callers) {
			y.receive(c)
			y.send(c)
		}
		for _, w := range y.crew {
			y.work(w.lanes[0], false)
		}
		y.inspect()
		for _, c := range slices.Clone(y.callers) {
			y.look(c)
			y.land(c)
		}
	}
}

// TestRandomRows drives calls and chunks through lanes in which they wait behind others.
// Whenever all is still, nobody waits who could run in another lane, or in a worker that
// could be born.
func TestRandomRows(t *testing.T) {
	for seed := range uint64(2000) {
		synctest.Test(t, func(t *testing.T) { drive(t, seed) }) // no timer fires
	}
}

func drive(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	y := newTraffic(t, 1+r.IntN(3))
	y.most = r.IntN(2) * (1 + r.IntN(8))
	defer y.end()
	for step := range 120 {
		var c *caller
		if n := len(y.callers); n > 0 {
			c = y.callers[r.IntN(n)]
			y.receive(c)
		}
		var w *worker
		if n := len(y.crew); n > 0 {
			w = y.crew[r.IntN(n)]
		}
		switch k := r.IntN(20); {
		case k < 4 && len(y.callers) < 12:
			as := want{alone: k == 0, items: k / 2 % 2 * (1 + r.IntN(3))}
			if as.items > 0 && c != nil && c.flight != nil && r.IntN(2) == 0 {
				as.on = c.flight.lane
			}
			y.come(as)
		case k == 4 && y.births > 0 && r.IntN(3) == 0:
			y.births--
			y.unborn(errors.New("stillborn"), false)
		case k < 6 && y.births > 0:
			y.bear()
		case k == 6 && c != nil && r.IntN(3) == 0:
			y.giveUp(c)
		case k < 9 && c != nil:
			y.send(c)
		case k < 12 && w != nil:
			y.work(w.lanes[0], r.IntN(3) > 0)
		case k < 14 && c != nil:
			y.land(c)
		case k == 14 && c != nil:
			y.look(c)
		case k == 15:
			y.inspect()
		case k == 16:
			y.resize(1 + r.IntN(3))
		case k == 17 && w != nil && r.IntN(3) == 0:
			y.retire(w)
		case k == 18 && w != nil && r.IntN(3) == 0 && !w.dead:
			w.rings.Fail()
			y.died(w)
		case k == 19:
			y.pace.note(time.Duration(1+r.IntN(3)) * time.Microsecond)
		}
		if step%20 == 19 {
			y.settle()
			y.still(seed, step)
		}
	}
}

// still checks what is true when only calls run that do not end.
func (y *traffic) still(seed uint64, step int) {
	y.t.Helper()
	waiting := y.queue.Len()
	for _, c := range y.callers {
		if c.flight != nil && !c.begun {
			waiting++
		}
	}
	free := len(y.idle) + y.target - y.present()
	if waiting > 0 && free > 0 {
		y.t.Fatalf("seed %d, step %d: %d wait, %d of them in the queue; %d lanes idle, %d workers of %d, %d births", seed, step, waiting, y.queue.Len(), len(y.idle), y.present(), y.target, y.births)
	}
	if y.accepted != len(y.callers) {
		y.t.Fatalf("seed %d, step %d: %d accepted, %d callers", seed, step, y.accepted, len(y.callers))
	}
}
