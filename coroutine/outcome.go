package coroutine

import (
	"errors"
	"maps"
	"slices"
)

// Errors do not vanish: what nobody asked for by the time that Run returns, Run
// returns.

// remember keeps t, which has ended, if it failed. An error that is the cause
// t was cancelled with is an order carried out, not a failure. Main's is
// returned in any case.
func (s *sched) remember(t *task) {
	if t.err == nil || t == s.main {
		return
	}
	if order := cause(&t.ctx); order != nil && errors.Is(t.err, order) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed[t] = true
}

// observe notes that somebody has asked for t's error. Any goroutine may.
func (s *sched) observe(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failed, t)
}

// stray keeps an error that has nobody to go to. Any goroutine may.
func (s *sched) stray(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strays = append(s.strays, err)
}

// outcome is what Run returns when everything has ended.
func (s *sched) outcome() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []error
	if s.asleep != nil && !errors.Is(s.main.err, s.asleep) {
		rest = append(rest, s.asleep)
	}
	failed := slices.SortedFunc(maps.Keys(s.failed), func(a, b *task) int { return a.id - b.id })
	for _, t := range failed {
		rest = append(rest, &unaskedError{t.Name(), t.err})
	}
	rest = append(rest, s.strays...)
	if len(rest) == 0 {
		return s.main.err
	}
	return errors.Join(append([]error{s.main.err}, rest...)...)
}

// An unaskedError is the error of a coroutine that nobody waited for.
type unaskedError struct {
	name string
	err  error
}

func (e *unaskedError) Error() string {
	return "tandem: loop: coroutine " + e.name + " failed and nobody asked: " + e.err.Error()
}

func (e *unaskedError) Unwrap() error { return e.err }
