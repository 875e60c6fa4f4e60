//go:build linux

package ring

import (
	"math"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// TestLeases: there are as many as CPUs less one; one that runs out is free again,
// as is one that holds nonsense.
func TestLeases(t *testing.T) {
	s, err := NewSpinners(3)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := s.now()
	if a, _ := s.acquire(now); a == nil {
		t.Fatal("no first lease")
	}
	b, until := s.acquire(now)
	if b == nil {
		t.Fatal("no second lease")
	}
	if c, _ := s.acquire(now); c != nil {
		t.Error("a third lease for three CPUs")
	}
	if c, _ := s.acquire(now + int64(lease) + 1); c == nil {
		t.Error("a lease that ran out, as of a killed process, was not given again")
	}
	sp := spin{spinners: s, lease: b, until: until}
	sp.end()
	b.Store(math.MaxInt64)
	if c, _ := s.acquire(now); c == nil {
		t.Error("a lease until the end of time was taken for one")
	}
}

// TestSpinnersTravel: another process sees the same leases, and the same time.
func TestSpinnersTravel(t *testing.T) {
	s, err := NewSpinners(2)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fd, err := unix.FcntlInt(s.File().Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	other, err := OpenSpinners(os.NewFile(uintptr(fd), "spinners"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const slack = int64(lease / 2)
	before, now, after := s.now(), other.now(), s.now()
	if now < before-slack || now > after+slack {
		t.Errorf("one says %d to %d, the other in between %d", before, after, now)
	}
	if a, _ := s.acquire(before); a == nil {
		t.Fatal("no lease")
	}
	if b, _ := other.acquire(before); b != nil {
		t.Error("the other process got the same lease")
	}
}

// TestOneCPU: with one CPU nobody pauses, and waiting is yielding or sleep.
func TestOneCPU(t *testing.T) {
	s, err := NewSpinners(1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sp := spin{spinners: s, patience: new(patience)}
	for sp.round() {
		if sp.lease != nil {
			t.Fatal("a lease on one CPU")
		}
	}
	if !sp.gentle {
		t.Error("spun to the end on one CPU")
	}
}

// TestPatience: yielding stops after a loss, for longer each time, and now and
// then anyway.
func TestPatience(t *testing.T) {
	var p patience
	refused := func() (n int) {
		for !p.mayYield() {
			n++
		}
		return n
	}
	if refused() != 0 {
		t.Fatal("no yield at first")
	}
	last := 0
	for i := range int64(20) {
		if p.watched(i<<32, i<<32+int64(slowYield)+1) {
			t.Fatal("a loss without credit, and it may go on")
		}
		if n := refused(); n < last || n > longBan+1 {
			t.Fatalf("a loss forbids %d yields, the one before %d", n, last)
		} else {
			last = n
		}
	}
	if last < longBan {
		t.Errorf("at last %d", last)
	}
	n := 0
	for range 10 * explore {
		if !p.mayYield() {
			n++
		}
	}
	if n < 9 || n > 11 {
		t.Errorf("%d sleeps in %d waits, want about 10", n, 10*explore)
	}
}

// TestCourtesy: with credit a yield may be long now and then, but half of the time may
// not go by in long ones.
func TestCourtesy(t *testing.T) {
	const slice = int64(4 * time.Millisecond)
	for _, c := range []struct {
		between int64
		lost    bool
	}{{2 * slice, false}, {slice / 8, true}} {
		p := patience{credit: crowdCredit, banned: 512}
		lost := false
		for now := int64(0); now < 100*slice && !lost; now += slice + c.between {
			lost = !p.watched(now, now+slice)
		}
		if lost != c.lost {
			t.Errorf("slices of %v with %v between them: lost is %v", time.Duration(slice), time.Duration(c.between), lost)
		}
		var sp spin
		if sp.invite(&p); sp.crowd == c.lost {
			t.Errorf("lost is %v, and a crowd is invited: %v", c.lost, sp.crowd)
		}
		for range longBan {
			sp = spin{}
			sp.invite(&p)
		}
		if !sp.crowd {
			t.Error("a loss forbids for ever")
		}
	}
}

// TestCPUSource: the number that the instruction gives is a CPU of this thread.
func TestCPUSource(t *testing.T) {
	mask, err := sys.Affinity(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []sys.CPUSource{0, sys.FindCPUSource()} {
		cpu, found := source.CPU(), false
		for _, c := range mask {
			found = found || c == cpu
		}
		if !found {
			t.Errorf("source %d says CPU %d, the thread may use %v", source, cpu, mask)
		}
	}
}

// TestForeignSegment: a worker does not open what no parent laid out.
func TestForeignSegment(t *testing.T) {
	for name, h := range map[string]head{
		"no lanes": {slots: 4}, "no slots": {lanes: 1}, "three slots": {lanes: 1, slots: 3},
		"too many lanes": {lanes: math.MaxUint32, slots: 4}, "more than fits": {lanes: 4, slots: 4},
	} {
		s, err := mem.Create(mem.KindRing, layoutVersion, plan{1, 4}.size())
		if err != nil {
			t.Fatal(err)
		}
		*mem.At[head](s.View, headAt) = h
		if _, _, err := planOf(s.View); err == nil {
			t.Errorf("%s: accepted", name)
		}
		s.Release()
	}
}

// TestWord: what is packed comes out again, also around the end of the count.
func TestWord(t *testing.T) {
	for _, p := range []position{0, 1, origin(64), positionMask, 1 << 40} {
		for _, n := range []int{0, 1, Inline} {
			for _, bits := range []word{0, asideBit, chunkBit, wideBit, asideBit | chunkBit | wideBit} {
				w, aside, chunk, wide := pack(p, started, n, bits), bits&asideBit != 0, bits&chunkBit != 0, bits&wideBit != 0
				if w.position() != p || w.state() != started || w.length() != n || w.aside() != aside || w.chunk() != chunk || w.wide() != wide {
					t.Errorf("%#x: %d %d %d %v", w, w.position(), w.state(), w.length(), bits)
				}
				if v := w.in(done); v.position() != p || v.state() != done || v.length() != n || v.aside() != aside || v.chunk() != chunk || v.wide() != wide {
					t.Errorf("%#x in done: %#x", w, v)
				}
			}
		}
		if p.behind(p.plus(5)) != 5 || p.plus(5).behind(p) != -5 {
			t.Errorf("%d: wrong distance to 5 later", p)
		}
	}
	if pack(0, 0, lengthMask, 0).length() < Inline {
		t.Error("a full slot has no length")
	}
}
