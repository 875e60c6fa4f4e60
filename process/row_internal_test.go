package process

import (
	"testing"
	"time"
)

// TestBurst: calls that end together are measured together, and the last of a row at the
// latest; of quick calls alone one of some is.
func TestBurst(t *testing.T) {
	l := newLane(&worker{}, 0, nil)
	board := func(n int) (row []*flight) {
		for range n {
			row = append(row, l.board(l.moment()))
		}
		return row
	}
	for _, n := range []int{2, measureEvery - 1, measureEvery, measureEvery + 1} {
		begun := clock()
		told := time.Duration(0)
		for i, f := range board(n) {
			now := l.ended()
			took := l.alight(f, now)
			last := i+1 == n
			if rest := i % measureEvery; (rest == measureEvery-1 || last && rest > 0) != (now > 0) && !(last && rest == 0) {
				t.Errorf("row of %d, call %d: its end is measured: %v", n, i+1, now > 0)
			}
			if now == 0 && took != 0 {
				t.Errorf("row of %d, call %d: %v, and nobody looked at the clock", n, i+1, took)
			}
			told += took
		}
		if all := clock() - begun; told <= 0 || told > all {
			t.Errorf("a row of %d that took %v: its calls took %v each", n, all, told)
		}
		if len(l.row) > 0 {
			t.Fatalf("a row of %d: %d are left", n, len(l.row))
		}
	}
	measured := 0
	for range 10 * measureEvery {
		f := board(1)[0]
		if now := l.ended(); l.alight(f, now) > 0 {
			measured++
		}
	}
	if measured != 10 {
		t.Errorf("of %d calls alone %d were measured", 10*measureEvery, measured)
	}
	f := board(2)[0]
	if l.stuck = true; l.ended() == 0 {
		t.Error("the end of a call that took long is not measured")
	}
	if l.alight(f, 0); l.stuck {
		t.Error("a lane is still stuck whose first call has ended")
	}
}

// TestTurn: a call that waits for its turn hears of it, whoever comes first.
func TestTurn(t *testing.T) {
	for round := range 2000 {
		l := newLane(&worker{}, 0, nil)
		first, second := l.board(clock()), l.board(l.moment())
		over := make(chan struct{})
		go func() {
			defer close(over)
			second.turn()
		}()
		if round%2 == 0 {
			select {
			case <-over:
				t.Fatal("a call had its turn before the one in front of it was over")
			default:
			}
		}
		l.alight(first, 0)
		select {
		case <-over:
		case <-time.After(30 * time.Second):
			t.Fatal("a call did not hear of its turn")
		}
	}
}
