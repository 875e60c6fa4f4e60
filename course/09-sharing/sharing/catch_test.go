package sharing

import "testing"

// TestProve: an update counts as lost only if the tickets leave no doubt.
func TestProve(t *testing.T) {
	// a reads 0 and writes 5, somewhere between its tickets.
	a := turn{readFrom: 1, readTo: 3, writeFrom: 10, writeTo: 12, read: 0, wrote: 5}
	b := turn{readFrom: 4, readTo: 6, writeFrom: 20, writeTo: 22, read: 0, wrote: 6}
	for _, c := range []struct {
		name    string
		change  func(a, b *turn)
		inOrder bool
		want    bool
	}{
		{"a reads, b reads, a writes, b writes", func(a, b *turn) {}, true, true},
		{"b reads first", func(a, b *turn) { b.readFrom, b.readTo, a.readFrom, a.readTo = 1, 3, 4, 6 }, true, false},
		{"b reads first, any order", func(a, b *turn) { b.readFrom, b.readTo, a.readFrom, a.readTo = 1, 3, 4, 6 }, false, true},
		{"who reads first is not known", func(a, b *turn) { b.readFrom = 2 }, false, false},
		{"b may have read after a wrote", func(a, b *turn) { b.readTo = 11 }, false, false},
		{"b may have written before a", func(a, b *turn) { b.writeFrom = 11 }, false, false},
		{"b read what another wrote", func(a, b *turn) { b.read = 7 }, false, false},
	} {
		x, y := a, b
		c.change(&x, &y)
		var got Caught
		if found := prove([]turn{x}, []turn{y}, c.inOrder, &got); found != c.want {
			t.Errorf("%s: proved %t, want %t", c.name, found, c.want)
		} else if found && (!got.lost() || got.ShouldBe != 11 || got.BWrites != 6) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
