package coroutine

import (
	"slices"
	"strings"
)

// An AsleepError says that every coroutine of a loop waited and nothing could
// ever wake one of them: no turn, no sleep, no timeout, nothing outside of the
// loop. A cancel that might come from elsewhere and the deadline of Run's own
// context do not count, for they would only end the work.
//
// The waits of all coroutines end with it, so that they can clean up; waits
// that cannot be cancelled are then unwound one by one. Run returns it.
type AsleepError struct {
	Waits []Waiting // oldest coroutine first
}

// Waiting is one coroutine that waits: Name, for For.
type Waiting struct{ Name, For string }

// Error names the first 20 of those who wait.
func (e *AsleepError) Error() string {
	var b strings.Builder
	b.WriteString("tandem: loop: all asleep: ")
	for i, w := range e.Waits {
		if i == 20 {
			b.WriteString("; and more")
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(w.Name + " waits for " + w.For)
	}
	b.WriteString("; break the circle, or bound a wait by WithTimeout")
	return b.String()
}

// breakSleep is called when nobody is ready, nobody sleeps and nothing outside
// is awaited. It says whether somebody can go on now. If not, a context with
// a deadline will still end a wait.
func (s *sched) breakSleep() bool {
	var parked []*task
	roused, expected := false, false
	s.main.each(func(t *task) {
		switch {
		case t.rouse(): // its context has ended, and the note of it is still to come
			roused = true
		case s.boundedWait(t):
			expected = true
		}
		parked = append(parked, t)
	})
	if roused || expected {
		return roused
	}
	slices.SortFunc(parked, func(a, b *task) int { return a.id - b.id })
	if s.asleep == nil {
		s.asleep = new(AsleepError)
		for _, t := range parked {
			s.asleep.Waits = append(s.asleep.Waits, Waiting{t.Name(), t.wait.describe()})
		}
	}
	for _, t := range parked {
		t.cancel(s.asleep)
		roused = t.rouse() || roused
	}
	if !roused {
		s.unwind(parked[0])
	}
	return true
}

// boundedWait says that the context of t's wait has a deadline of its own.
func (s *sched) boundedWait(t *task) bool {
	mine, ok := t.wait.ctx.Deadline()
	all, bounded := s.ctx.Deadline()
	return ok && !(bounded && mine.Equal(all))
}

// unwind ends a parked coroutine by force: its deferred calls run, and a wait
// in one of them unwinds again.
func (s *sched) unwind(t *task) {
	t.unwound, t.parked = s.asleep, false
	s.current.Store(t)
	func() {
		defer absorb()
		t.stop()
	}()
	s.current.Store(nil)
	s.finish(t)
}

func (w *wait) describe() string {
	if w.target != nil {
		return "coroutine " + w.target.Name()
	}
	return w.what
}
