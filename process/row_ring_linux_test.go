package process

import (
	"context"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/ring"
)

// mailyard is a yard for one worker, with rings, and nobody at their other ends.
type mailyard struct {
	*yard
}

func newMailyard(t *testing.T) *mailyard {
	y := &mailyard{newYard(t, 1, 1, 0)}
	y.pace.note(1)   // calls come behind others
	y.looking = true // nobody inspects but the test
	return y
}

// bear ends a birth.
func (y *mailyard) bear() *worker {
	y.t.Helper()
	rings, err := ring.Create(ring.Config{Lanes: 1, Slots: 8})
	if err != nil {
		y.t.Fatal(err)
	}
	y.t.Cleanup(func() { rings.Close() })
	w := &worker{rings: rings}
	l := newLane(w, 0, nil)
	l.ring, l.depth, l.retire = rings.Lanes()[0], 8, func() {}
	w.lanes = []*lane{l}
	y.births--
	if !y.born(w) {
		y.t.Fatal("the worker is not wanted")
	}
	return w
}

// back says whether a call that was sent was taken back, and lands it then.
func (y *mailyard) back(f *flight) bool {
	if !f.lane.ring.Ready(f.slot) {
		return false
	}
	if _, _, err := f.lane.ring.Wait(f.slot, nil, nil); err != ring.ErrTaken {
		y.t.Fatalf("a call ended by itself: %v", err)
	}
	f.end()
	y.over(f, clock(), 0, true)
	return true
}

// expected says whether somebody looks whether a call is begun.
func expected(f *flight) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.start != nil
}

// row gives the one worker three calls.
func (y *mailyard) row(enter func() claim) (row []*flight) {
	waits := enter()
	y.bear()
	for _, c := range []claim{waits, enter(), enter()} {
		f := got(c)
		if f == nil {
			y.t.Fatal("calls do not come behind others")
		}
		row = append(row, f)
	}
	return row
}

// sent sends the calls of a row, and has them wait asleep.
func (y *mailyard) sent(row []*flight) {
	y.t.Helper()
	for _, f := range row {
		if err := f.begin(context.Background(), "task", new(tandem.Limits), 1, false); err != nil {
			y.t.Fatal(err)
		}
		y.t.Cleanup(func() { f.end() }) // no timer outlives the ring
		f.lane.ring.Publish(f.slot, nil)
		f.Sleep()
	}
}

// takeBack ends a call.
func (y *mailyard) takeBack(f *flight) {
	y.t.Helper()
	if !f.lane.ring.TakeBack(f.slot) || !y.back(f) {
		y.t.Fatal("a call that nobody has begun cannot be taken back")
	}
}

// TestRetireUnsent: a call that has its place behind another, and is not sent when the
// worker is retired, does not wait there.
func TestRetireUnsent(t *testing.T) {
	y := newMailyard(t)
	row := y.row(y.call)
	y.sent(row[:2])
	y.retire(row[0].lane.worker)
	if !y.back(row[1]) {
		t.Error("a call behind the first is left with a retired worker")
	}
	if y.sent(row[2:]); !y.back(row[2]) {
		t.Error("a call that was not sent yet waits behind others, with a retired worker")
	}
}

// TestExpectLast: somebody looks whether a worker begins the first call of its row, also
// when those behind that have gone, before it came to be the first or after; and in a row
// of chunks, which nobody inspects, also when they have not.
func TestExpectLast(t *testing.T) {
	for name, ends := range map[string][]int{"first": {0, 2}, "last": {2, 0}, "chunks": {0}} {
		y := newMailyard(t)
		enter := y.call
		if name == "chunks" {
			enter = y.chunk
		}
		row := y.row(enter)
		y.sent(row)
		if !expected(row[0]) || expected(row[1]) {
			t.Errorf("%s: of the first of the row it is expected that it begins: %v, of the second: %v", name, expected(row[0]), expected(row[1]))
		}
		for _, i := range ends {
			y.takeBack(row[i])
		}
		if name == "first" {
			y.inspect()
		}
		if !expected(row[1]) {
			t.Errorf("%s: nobody looks whether the call is begun", name)
		}
	}
}

// TestResizeUnstuck: what waits behind a call that is not known to take long looks for
// another place when there may be one. It has been looked after, when there was none.
func TestResizeUnstuck(t *testing.T) {
	y := newMailyard(t)
	row := y.row(y.chunk)
	y.sent(row)
	for _, f := range row {
		y.slow(f)
	}
	y.takeBack(row[0])
	y.resize(2)
	if !y.back(row[2]) {
		t.Error("a chunk stays behind another, though there may be a second worker")
	}
}
