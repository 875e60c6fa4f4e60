package process

import (
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
)

// Restart says whether and when the process of a Service is started again after it
// has ended. The zero Restart starts it always, five times within ten seconds at most.
type Restart struct {
	When When

	// Max is how many restarts there may be within Within, 0 five. One more breaks
	// the service: every call gets the first cause. Within 0 is ten seconds.
	Max    int
	Within time.Duration

	// Backoff is the pause before the second restart within Within, 0 ten
	// milliseconds. It doubles with each further one, up to five seconds or what it
	// began with. The first restart comes at once.
	Backoff time.Duration
}

// When is after which ends a process is started again.
type When uint8

const (
	Always    When = iota // whatever it ended of
	OnFailure             // unless it ended itself with exit status 0
	Never                 // the first end is the service's
)

const (
	defaultRestarts = 5
	defaultWithin   = 10 * time.Second
	defaultBackoff  = 10 * time.Millisecond
	longestBackoff  = 5 * time.Second
)

// check reports what in r makes no sense.
func (r Restart) check() error {
	switch {
	case r.When > Never:
		return fmt.Errorf("tandem: Restart.When is %d; it is Always, OnFailure or Never", r.When)
	case r.Max < 0 || r.Within < 0 || r.Backoff < 0:
		return fmt.Errorf("tandem: Restart has a negative field (Max %d, Within %v, Backoff %v); zero means the default", r.Max, r.Within, r.Backoff)
	}
	return nil
}

// supervision decides whether the one process of a pool is started again, and when.
// It reads no clock and starts nothing: a supervisor of several services can ask the
// same questions.
type supervision struct {
	rule   Restart
	name   string
	ended  bool // since the last start
	well   bool // it ended itself, with exit status 0
	recent []ending
}

// ending is one end of the process.
type ending struct {
	at    time.Duration
	cause error
}

func newSupervision(name string, rule Restart) *supervision {
	if rule.Max == 0 {
		rule.Max = defaultRestarts
	}
	if rule.Within == 0 {
		rule.Within = defaultWithin
	}
	if rule.Backoff == 0 {
		rule.Backoff = defaultBackoff
	}
	return &supervision{rule: rule, name: name}
}

// note is told each end.
func (s *supervision) note(now time.Duration, cause error, well bool) {
	s.ended, s.well = true, well
	s.recent = append(within(s.recent, now, s.rule.Within), ending{now, cause})
}

// next is asked before each start: how long to wait, and after what end it is a
// restart, nil before the first start; or why there is none.
func (s *supervision) next() (pause time.Duration, after, refusal error) {
	if !s.ended {
		return 0, nil, nil
	}
	n := len(s.recent)
	first, last := s.recent[0].cause, s.recent[n-1].cause
	switch {
	case s.rule.When == OnFailure && s.well:
		return 0, nil, fmt.Errorf("tandem: %s has ended itself, and Restart.When is OnFailure: %w", s.name, tandem.ErrClosed)
	case s.rule.When == Never:
		return 0, nil, fmt.Errorf("tandem: %s has ended, and Restart.When is Never: %w", s.name, last)
	case n > s.rule.Max:
		return 0, nil, fmt.Errorf("tandem: %s is broken, it ended %d times within %v, first of this: %w", s.name, n, s.rule.Within, first)
	}
	s.ended = false
	if n == 1 {
		return 0, last, nil
	}
	most := max(longestBackoff, s.rule.Backoff)
	pause = s.rule.Backoff
	for i := 2; i < n && pause < most; i++ {
		pause *= 2
	}
	return min(pause, most), last, nil
}
