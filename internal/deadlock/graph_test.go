package deadlock

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// world is a number of goroutines that wait, made at random but as can be: nobody has
// more than there is.
func world(r *rand.Rand) (all []*Record) {
	things := []Thing{{Off: 1, Shares: 1}, {Off: 2, Shares: 1}, {Off: 3, Shares: 2}, {Off: 4, Shares: 3}, {Off: 5, Shares: All}}
	free := map[Thing]int{}
	for _, t := range things {
		free[t] = t.Shares
	}
	wants := func(t Thing) int {
		if t.Shares == All && r.IntN(2) == 0 {
			return All
		}
		return 1
	}
	for i := range 2 + r.IntN(6) {
		w := &Record{Number: uint64(i), Since: r.Int64N(4), pid: r.IntN(3)}
		for _, t := range things {
			if n := wants(t); r.IntN(3) == 0 && free[t] >= n {
				free[t] -= n
				w.Holds = append(w.Holds, hold{t, n})
			}
		}
		w.What = things[r.IntN(len(things))]
		w.Wants = wants(w.What)
		all = append(all, w)
	}
	return all
}

// play lets everybody go on who can, until nobody can, and returns who is left. Who is
// not in all gives back what he has.
func play(all []*Record) []*Record {
	free := func(t Thing) int {
		n := t.Shares
		for _, w := range all {
			n -= w.has(t)
		}
		return n
	}
	for {
		i := slices.IndexFunc(all, func(w *Record) bool {
			queued := slices.ContainsFunc(all, func(o *Record) bool { return o != w && o.What == w.What && o.Wants == All })
			n := free(w.What)
			return n >= w.Wants && (w.Wants == All || !queued || n == w.What.Shares)
		})
		if i < 0 {
			return all
		}
		all = slices.Delete(slices.Clone(all), i, i+1)
	}
}

// TestStuck: it finds those whom no play lets go on, and chooses one of each knot.
func TestStuck(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	deadlocks := 0
	for range 20_000 {
		all := world(r)
		got, want := stuck(all), play(all)
		if !slices.Equal(got, want) {
			t.Fatalf("stuck are %v, want %v, of %v", got, want, all)
		}
		told := 0
		for _, w := range got {
			if !w.chosen(w.reach(got), got) {
				continue
			}
			told++
			circle := w.circle(got)
			for i, m := range circle {
				if next := circle[(i+1)%len(circle)]; !m.waitsFor(next) {
					t.Fatalf("in the circle %v member %d does not wait for the next", circle, i)
				}
			}
			if circle[0] != w {
				t.Fatalf("the circle %v does not begin with who is told", circle)
			}
		}
		if len(got) > 0 {
			deadlocks++
			if told == 0 {
				t.Fatalf("of %v nobody is told", got)
			}
		}
		// Each knot of those who wait for each other has one who is told.
		for _, w := range got {
			for _, o := range got {
				a, b := w.reach(got), o.reach(got)
				if w != o && a[o] && b[w] && w.chosen(a, got) && o.chosen(b, got) {
					t.Fatalf("both %v and %v of one circle are told", w, o)
				}
			}
		}
	}
	t.Logf("%d deadlocks in 20,000", deadlocks)
	if deadlocks < 1000 {
		t.Error("too few for a test")
	}
}
