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

// checks says that round has just looked at the clock: the moment for what is too
// dear for every round.
func (s *spin) checks() bool { return s.rounds%check == 0 }

func (s *spin) yield() bool {
	before := s.spinners.now()
	if s.begun == 0 {
		s.begun = before
	}
	if before-s.begun > int64(spinFor) || !s.patience.mayYield() {
		return false
	}
	sys.Yield()
	if s.spinners.now()-before > int64(slowYield) {
		s.patience.lose()
		return false
	}
	return true
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
// before. And two that yield to each other stay together while other CPUs idle,
// since the kernel looks for a free CPU when it wakes somebody: so now and then
// one sleeps.
type patience struct{ turns, forbidden, banned int }

const (
	slowYield = 500 * time.Microsecond // tells that somebody else had the CPU
	longBan   = 1 << 14                // yields not made
	explore   = 256                    // yields between two sleeps
)

func (p *patience) mayYield() bool {
	if p.forbidden > 0 {
		p.forbidden--
		return false
	}
	p.turns++
	return p.turns%explore != 0
}

func (p *patience) lose() {
	p.banned = min(max(2*p.banned, 16), longBan)
	p.forbidden = p.banned
}
