package process

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestIntensity: so many in a row however slowly they come; and within a time, if one is
// set, with good births in between, of which those from outside are none.
func TestIntensity(t *testing.T) {
	type step struct {
		at      time.Duration
		good    bool
		outside bool
	}
	bad := func(at time.Duration) step { return step{at: at} }
	out := func(at time.Duration) step { return step{at: at, outside: true} }
	good := step{good: true}
	for name, c := range map[string]struct {
		rule  Intensity
		steps []step
		first int // the step whose cause broke it, -1: it is not broken
	}{
		"three in a row":               {Intensity{}, []step{bad(0), bad(time.Hour), bad(2 * time.Hour)}, 0},
		"two in a row":                 {Intensity{}, []step{bad(0), bad(0), good, bad(0), bad(0), good}, -1},
		"from outside in a row":        {Intensity{}, []step{good, out(0), out(0), out(0)}, 1},
		"five in a row":                {Intensity{Max: 5}, []step{bad(0), bad(0), bad(0), bad(0)}, -1},
		"within a minute":              {Intensity{Max: 3, Within: time.Minute}, []step{bad(0), good, bad(30 * time.Second), good, bad(59 * time.Second)}, 0},
		"the first is older":           {Intensity{Max: 3, Within: time.Minute}, []step{bad(0), good, bad(30 * time.Second), good, bad(60 * time.Second)}, -1},
		"the first is older, then not": {Intensity{Max: 3, Within: time.Minute}, []step{bad(0), good, bad(30 * time.Second), good, bad(60 * time.Second), good, bad(61 * time.Second)}, 2},
		"slow, in a row, with a time":  {Intensity{Max: 3, Within: time.Second}, []step{bad(0), bad(time.Hour), bad(2 * time.Hour)}, 0},
		"from outside within a minute": {Intensity{Max: 2, Within: time.Minute}, []step{out(0), good, out(0), good, out(0)}, -1},
	} {
		l := losses{rule: c.rule}
		for i, s := range c.steps {
			if s.good {
				l.good()
				continue
			}
			first, broken := l.note(s.at, fmt.Errorf("cause %d", i), s.outside)
			last := i == len(c.steps)-1
			if want := last && c.first >= 0; broken != want {
				t.Errorf("%s: broken %v after step %d", name, broken, i)
			} else if broken && first.Error() != fmt.Sprint("cause ", c.first) {
				t.Errorf("%s: first cause %v, want %d", name, first, c.first)
			}
		}
	}
}

// TestPoolIntensity: a pool counts as its field says.
func TestPoolIntensity(t *testing.T) {
	y := newYard(t, 1, 1, 0)
	y.losses.rule = Intensity{Max: 5}
	y.call()
	for i := range 5 {
		if y.broken != nil {
			t.Fatalf("broken after %d: %v", i, y.broken)
		}
		y.births--
		y.unborn(errors.New("cause"), false)
	}
	if y.broken == nil {
		t.Error("not broken after five")
	}
	for _, i := range []Intensity{{Max: -1}, {Within: -1}} {
		p := &Pool{Intensity: i}
		if err := p.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "Pool.Intensity has a negative field") {
			t.Errorf("%+v: %v", i, err)
		}
	}
}
