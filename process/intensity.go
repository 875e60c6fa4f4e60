package process

import (
	"fmt"
	"time"
)

// Intensity says when a Pool gives up starting workers that come to nothing: that do
// not come to serve, or die within ten seconds and before they had a call. What dies in a
// call does not count: see Pool.PoisonAfter for that. While a worker is alive, a pool
// never gives up; it tries again more and more slowly.
type Intensity struct {
	// Max is how many births may come to nothing one after the other, 0 three. With
	// that many the pool is broken: every call gets tandem.ErrPoolBroken with the first
	// cause.
	Max int

	// Within, if not zero, breaks the pool also by Max such births within that time with
	// good ones in between. Workers that a signal from outside has ended do not count then.
	Within time.Duration
}

// check reports what in i makes no sense.
func (i Intensity) check() error {
	if i.Max < 0 || i.Within < 0 {
		return fmt.Errorf("tandem: Pool.Intensity has a negative field (Max %d, Within %v); zero means the default", i.Max, i.Within)
	}
	return nil
}

// losses counts births that came to nothing. It reads no clock.
type losses struct {
	rule  Intensity
	row   int // one after the other
	first error
	own   []ending // within the rule's time, without those ended from outside
}

// good forgets what came before a worker that has shown that it lives.
func (l *losses) good() {
	if l.row > 0 { // rare; otherwise all calls would write where others only read
		l.row, l.first = 0, nil
	}
}

// note counts one more, and returns the first cause if that is too many.
func (l *losses) note(now time.Duration, cause error, outside bool) (first error, broken bool) {
	if l.row == 0 {
		l.first = cause
	}
	l.row++
	most := l.rule.Max
	if most == 0 {
		most = stillbirths
	}
	if l.rule.Within > 0 && !outside {
		l.own = within(l.own, now, l.rule.Within)
		l.own = append(l.own, ending{now, cause})
	}
	switch {
	case l.row >= most:
		return l.first, true
	case len(l.own) >= most:
		return l.own[0].cause, true
	}
	return nil, false
}

// within is the rest of the endings that are younger than an age.
func within(all []ending, now, age time.Duration) []ending {
	old := 0
	for old < len(all) && now-all[old].at >= age {
		old++
	}
	return all[old:]
}
