//go:build linux

package monitor

import (
	"context"
	"errors"
	"os"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
)

var background = context.Background()

// gate is a machine for tests: it is open when its word is not 0. It remembers who
// is said to be gone.
type gate struct {
	m    *Monitor
	gone []int
}

func (g *gate) Gone(place, pid int) { g.gone = append(g.gone, place, pid) }
func (g *gate) Settle()             {}

func (g *gate) wait(ctx context.Context) error {
	if err := g.m.Enter(ctx); err != nil {
		return err
	}
	return g.m.Await(ctx, 0, func() (bool, error) { return g.m.Word(0) != 0, nil }, func() {})
}

// newGate makes a gate that its test, or the end of the test, closes.
func newGate(t *testing.T) (*gate, *mem.Segment) {
	t.Helper()
	s, err := mem.Create(mem.KindEvent, 0, Size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.RetainOpen() {
			s.Release()
			s.Release()
		}
	})
	if err := Init(s); err != nil {
		t.Fatal(err)
	}
	g := new(gate)
	m, err := Open(s, func(m *Monitor) (Machine, error) { g.m = m; return g, nil })
	if err != nil || m != g.m {
		t.Fatal(m, err)
	}
	return g, s
}

func inside(t *testing.T, g *gate, f func()) {
	t.Helper()
	if err := g.m.Enter(background); err != nil {
		t.Fatal(err)
	}
	f()
	if err := g.m.Leave(); err != nil {
		t.Error(err)
	}
}

// TestLayout: the table is what README.md says, and the lives are in the first page.
func TestLayout(t *testing.T) {
	typ := reflect.TypeFor[table]()
	if got := tableAt - mem.HeaderSize + int(typ.Size()); got != Size {
		t.Errorf("a monitor takes %d bytes, Size is %d", got, Size)
	}
	for name, want := range map[string]int{"words": 144, "lives": livesAt, "places": 2240} {
		if f, _ := typ.FieldByName(name); tableAt+int(f.Offset) != want {
			t.Errorf("%s lie at %d, want %d", name, tableAt+int(f.Offset), want)
		}
	}
	if end := livesAt + Places*lock.LifeSize; end > os.Getpagesize() {
		t.Errorf("the lives end at %d, behind the first page", end)
	}
}

// living and dead are what a life's word says of a process.
func living(g *gate) uint64 { return atomic.LoadUint64(&g.m.table.lives[g.m.Me()]) }

func dead(s *mem.Segment, i, pid int) {
	at := livesAt + i*lock.LifeSize
	*s.Word(at + 4) = uint32(pid) // gave it up, or is no more
	*s.Word(at) = 1 << 30
}

// TestFull: who finds no place is told, and gets one when another's process has gone.
func TestFull(t *testing.T) {
	g, s := newGate(t)
	for i := range Places {
		*s.Long(livesAt + i*lock.LifeSize) = 1 // lives, as far as one can tell
	}
	if err := g.m.Enter(background); err != ErrFull {
		t.Fatalf("Enter with all places taken: %v", err)
	}
	atomic.StoreUint64(&g.m.table.used, Places)
	dead(s, 200, 77)
	inside(t, g, func() {
		if g.m.Me() != 200 {
			t.Errorf("got place %d", g.m.Me())
		}
	})
	if !reflect.DeepEqual(g.gone, []int{200, 77}) {
		t.Errorf("gone: %v", g.gone)
	}
}

// TestReap: the place of one who is gone is cleared; that of one who lives, or is
// about to end, is not.
func TestReap(t *testing.T) {
	g, s := newGate(t)
	inside(t, g, func() {
		g.m.table.used = 3
		g.m.SetState(1, 5)
		g.m.table.places[1].waiting[0] = 5
		dead(s, 1, 77)
		// Ends: the kernel has marked it, and something of it still runs. It is us.
		g.m.SetState(2, 6)
		atomic.StoreUint64(&g.m.table.lives[2], living(g))
		*s.Word(livesAt + 2*lock.LifeSize) = 1 << 30
		if g.m.First(0) >= 0 {
			t.Error("a dead one is served next")
		}
		if !g.m.Reap() {
			t.Error("nobody told that one is about to end")
		}
		if g.m.State(1) != 0 || g.m.Waiting(1, 0) != 0 || g.m.table.lives[1] != 0 {
			t.Error("the place of a dead one was not cleared")
		}
		if g.m.State(2) != 6 {
			t.Error("the place of one who still runs was cleared")
		}
	})
	if !reflect.DeepEqual(g.gone, []int{1, 77}) {
		t.Errorf("gone: %v", g.gone)
	}
}

// TestLostWake: a wake that died with its sender is made good.
func TestLostWake(t *testing.T) {
	g, _ := newGate(t)
	got := make(chan error)
	go func() { got <- g.wait(background) }()
	waits(t, g, 1)
	inside(t, g, func() { g.m.SetWord(0, 1) }) // and no Wake
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func waits(t *testing.T, g *gate, n int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Microsecond) {
		found := 0
		inside(t, g, func() { found = g.m.Waiting(g.m.Me(), 0) })
		if found == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d wait, want %d", found, n)
		}
	}
}

// TestPumpEnds: the goroutine that looks after waiters goes with the last of them.
func TestPumpEnds(t *testing.T) {
	g, _ := newGate(t)
	for range 20 {
		ctx, cancel := context.WithCancel(background)
		got := make(chan error)
		go func() { got <- g.wait(ctx) }()
		waits(t, g, 1)
		cancel()
		if err := <-got; err != context.Canceled {
			t.Error(err)
		}
		for pumps := true; pumps; {
			g.m.mu.Lock()
			pumps = g.m.pumping
			g.m.mu.Unlock()
		}
	}
	waits(t, g, 0)
}

// TestFinish: what has to be done is done at once, or when the one who is in the way
// has left.
func TestFinish(t *testing.T) {
	g, _ := newGate(t)
	n := 0
	if err := g.m.Finish(func() { n++ }); err != nil || n != 1 {
		t.Errorf("done %d times, %v", n, err)
	}
	done := make(chan struct{})
	inside(t, g, func() { // as if another process had stopped here
		if err := g.m.Finish(func() { close(done) }); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
			t.Error("done while somebody was inside")
		default:
		}
	})
	<-done
}

func TestClosed(t *testing.T) {
	g, s := newGate(t)
	got := make(chan error)
	go func() { got <- g.wait(background) }()
	waits(t, g, 1)
	life := g.m.life
	if err := s.Release(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, lock.ErrClosed) {
		t.Errorf("waiting at close: %v", err)
	}
	if err := g.m.Enter(background); err != lock.ErrClosed {
		t.Errorf("Enter after close: %v", err)
	}
	if err := g.m.Finish(func() { t.Error("ran") }); err != lock.ErrClosed {
		t.Errorf("Finish after close: %v", err)
	}
	if life == nil {
		t.Error("it had no place")
	}
}

// TestDeathInside: who died inside leaves nothing to repair.
func TestDeathInside(t *testing.T) {
	g, s := newGate(t)
	inside(t, g, func() { g.m.SetWord(1, 3) })
	*s.Word(lockAt + 4) = 77
	*s.Word(lockAt) = 1 << 30
	inside(t, g, func() {
		if g.m.Word(1) != 3 {
			t.Error("the table has changed")
		}
	})
}
