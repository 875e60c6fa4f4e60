package lock

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// patient is how long a goroutine waits before it claims to be the next (rule 11). It
// is many times what a sleeper needs to wake up: until then a lock goes to who runs.
const patient = time.Millisecond

// claim says who is to be the next owner: since when he waits, in units of 65 µs since
// boot, and the id of his keeper. The smaller one waits longer; 0: nobody.
type claim uint64

func newClaim(since int64, tid uint32) claim {
	return claim(uint64(since)>>16<<pidBits | uint64(tid))
}

func (c claim) tid() uint32  { return uint32(c & (1<<pidBits - 1)) }
func (c claim) mark() uint32 { return markOf(c.tid()) }
func (c claim) lives() bool  { return sys.ThreadLives(int(c.tid())) }

// kept is the word of a lock that is free and kept for c.
func (c claim) kept() uint64 { return word(hasSleeper, signature(c)) }

// isKept reports whether a word is one that claim.kept made.
func isKept(state uint32) bool { return state == hasSleeper }

func (l *Lock) heir() *uint64 { return l.segment.Long(l.off + heirAt) }

// keep gives the lock back, of which the word is now, for the heir. It reports false
// if there is none, or the word has changed.
func (l *Lock) keep(now uint64) bool {
	heir := claim(atomic.LoadUint64(l.heir()))
	if heir == 0 || !atomic.CompareAndSwapUint64(l.word, now, heir.kept()) {
		return false
	}
	sys.FutexInterrupt(l.state, heir.mark())
	// Either he who leaves without the lock finds it kept, or his leaving is seen here.
	if claim(atomic.LoadUint64(l.heir())) != heir || !heir.lives() {
		l.disinherit(heir)
	}
	return true
}

// disinherit makes a lock that is kept for c free for everybody.
func (l *Lock) disinherit(c claim) {
	atomic.CompareAndSwapUint64(l.heir(), uint64(c), 0)
	if atomic.CompareAndSwapUint64(l.word, c.kept(), 0) {
		l.wake(1)
	}
}

// line is the place of a front among those of other processes.
type line struct {
	claim   claim
	since   int64     // when its goroutine began to wait
	asked   bool      // claim may be that of the heir
	foreign uint64    // the word, kept for another
	seen    time.Time // and since when
}

// stand claims the lock, if it is time for that and no other has waited longer. It
// returns how long to sleep until the next look.
func (p *line) stand(l *Lock) time.Duration {
	if waited := time.Duration(sys.MonotonicNow() - p.since); !p.asked && waited < patient {
		return patient - waited
	}
	p.asked = true
	for {
		now := claim(atomic.LoadUint64(l.heir()))
		if now != 0 && now <= p.claim || atomic.CompareAndSwapUint64(l.heir(), uint64(now), uint64(p.claim)) {
			return longestSleep
		}
	}
}

// mayTake reports whether a lock that is kept is for this front: it is the heir, or
// the heir has died or not come.
func (p *line) mayTake(w uint64) bool {
	if w == p.claim.kept() {
		return true
	}
	if w != p.foreign {
		p.foreign, p.seen = w, time.Now()
	}
	_, sig := split(w)
	return !claim(sig).lives() || time.Since(p.seen) >= longestSleep
}

// taken ends the waiting with the lock, of which the word was w. The next one in the
// line is woken already now, so that it can claim while the lock is held.
func (p *line) taken(l *Lock, w uint64) {
	if state, sig := split(w); isKept(state) && w != p.claim.kept() {
		if absent := claim(atomic.LoadUint64(l.heir())); signature(absent) == sig {
			atomic.CompareAndSwapUint64(l.heir(), uint64(absent), 0)
		}
	}
	if p.asked {
		atomic.CompareAndSwapUint64(l.heir(), uint64(p.claim), 0)
		l.wake(1)
	}
}

// leave ends the waiting without the lock.
func (p *line) leave(l *Lock) {
	if p.asked {
		l.disinherit(p.claim)
	}
	runtime.KeepAlive(l)
}
