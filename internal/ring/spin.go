package ring

import (
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// spin is one bounded wait in a loop, which looks at its condition and then calls
// round. It pauses the processor while that is in order, and otherwise yields it:
// to the other side if that is on the same CPU, to anybody if all leases are out.
type spin struct {
	spinners *Spinners // nil: round refuses at once
	patience *patience
	gentle   bool // yield, do not pause
	crowd    bool // yield so often, whatever time others take meanwhile
	rounds   uint
	begun    int64
	lease    *atomic.Int64
	until    int64
}

// check is how many rounds pass between two looks at the clock.
const check = 16

// round waits a moment and reports whether the loop may go on. It is an ordinary
// call, so that a garbage collection can stop the goroutine here: a loop of
// nothing but loads and pauses would hold it up for milliseconds.
//
//go:noinline
func (s *spin) round() bool {
	if s.spinners == nil {
		return false
	}
	if s.gentle {
		return s.yield()
	}
	sys.Pause()
	if s.rounds++; s.rounds%check != 0 {
		return true
	}
	switch now := s.spinners.now(); {
	case s.begun == 0:
		s.begun = now
	case now-s.begun < int64(glance):
	case now-s.begun > int64(spinFor):
		return false
	case s.lease == nil:
		s.lease, s.until = s.spinners.acquire(now)
		s.gentle = s.lease == nil
	}
	return true
}

// invite makes s one of a worker that many call: they have more to do than it has, so
// it lets them have the processor as often as it would look. It comes before the first
// round, and does nothing where that has cost too much lately.
func (s *spin) invite(courtesy *patience) {
	if courtesy.forbidden > 0 {
		courtesy.forbidden--
		return
	}
	s.patience, s.gentle, s.crowd = courtesy, true, true
}

// crowdYields is how often a worker yields to a crowd before it sleeps. Nobody wants
// its processor then: a yield that others use takes long by itself.
const crowdYields = 50

// checks says that round has just looked at the clock: the moment for what is too
// dear for every round.
func (s *spin) checks() bool { return s.rounds%check == 0 }

func (s *spin) yield() bool {
	if s.rounds++; s.crowd && s.rounds > crowdYields || !s.patience.mayYield() {
		return false
	}
	if !s.patience.watches() {
		sys.Yield()
		return true
	}
	before := s.spinners.now()
	if s.begun == 0 {
		s.begun = before
	}
	if !s.crowd && before-s.begun > int64(spinFor) {
		return false
	}
	sys.Yield()
	return s.patience.watched(before, s.spinners.now())
}

// end gives the lease back. The spin can be used again.
func (s *spin) end() {
	if s.lease != nil {
		s.lease.CompareAndSwap(s.until, 0)
	}
	*s = spin{spinners: s.spinners, patience: s.patience}
}

// patience decides whether to yield. It is twice as fast as sleeping when two
// sides share a CPU, but it has two faults. A third who wants that CPU keeps it
// for a slice of the kernel's, some milliseconds, where a sleeper would be woken
// in between: so each such loss forbids yielding for twice as long as the one
// before. And two that yield to each other stay together while other CPUs idle: so
// one sleeps now and then, since the kernel may look for a free CPU when it wakes
// somebody.
//
// Two looks at the clock are a twentieth of a call there, so while all is well only
// some yields are watched.
//
// Those who call in a crowd are no third: they may take the CPU for a slice, and one
// ticks every 4 ms. There a loss is what takes more than half of the time for longer
// than the credit: it forbids as above.
type patience struct {
	turns, forbidden, banned int
	short                    int // yields in a row that were watched and short
	credit                   time.Duration
	debt                     time.Duration // at a time of the spinners' clock
	at                       int64
}

const (
	slowYield = 500 * time.Microsecond // a longer one tells that somebody else had the CPU
	longBan   = 1 << 14                // yields not made
	explore   = 256                    // yields between two sleeps

	trusted    = 16 // short yields in a row after which
	watchEvery = 8  // one of so many is watched

	crowdCredit = 16 * time.Millisecond
)

func (p *patience) mayYield() bool {
	if p.forbidden > 0 {
		p.forbidden--
		return false
	}
	p.turns++
	return p.turns%explore != 0
}

// watches reports whether to tell watched how long the next yield takes.
func (p *patience) watches() bool { return p.short < trusted || p.turns%watchEvery == 0 }

// watched notes a yield from one time to another, and reports whether that may go on:
// somebody else had the CPU if it was long.
func (p *patience) watched(from, to int64) bool {
	if to-from <= int64(slowYield) {
		p.short++
		return true
	}
	p.short = 0
	p.debt = max(0, p.debt-time.Duration(from-p.at)) + time.Duration(to-from)
	if p.at = to; p.debt <= p.credit {
		return true
	}
	p.debt = 0
	p.banned = min(max(2*p.banned, 16), longBan)
	p.forbidden = p.banned
	return false
}
