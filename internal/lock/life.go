package lock

import (
	"errors"
	"os"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// Life is a word of shared memory that tells whether a process lives: a lock word
// that the process takes and never gives back, so that the kernel reports its
// death there. It is how what a process holds is known to be free again, where no
// lock is held all that time.
type Life struct {
	own     uint64
	off     int
	segment *mem.Segment
	keeper  *keeper
}

// LifeSize is what a Life takes in a segment, in the first page.
const LifeSize = 8

// BeginLife signs the word at off of s, which is 0. The lock of the same segment
// must be open already: it is what refuses another PID namespace.
func BeginLife(s *mem.Segment, off int) (*Life, error) {
	// First the list, then the word: else a death between them would be missed.
	k, err := enlist(s.Companion(off))
	if err != nil {
		return nil, err
	}
	l := &Life{own: word(k.tid, k.sig), off: off, segment: s, keeper: k}
	if !atomic.CompareAndSwapUint64(s.Long(off), 0, l.own) {
		k.dismiss(s.Companion(off))
		return nil, errors.New("somebody else's life")
	}
	return l, nil
}

// End says to the others that this process uses the segment no more. real is the
// shared memory.
func (l *Life) End(real mem.View) {
	atomic.CompareAndSwapUint64(real.Long(l.off), l.own, word(ownerDied, sign(os.Getpid(), alive)))
	l.keeper.dismiss(l.segment.Companion(l.off))
}

// Ended reports whether w, read from a life's word, says that the process died, or
// uses the segment no more.
func Ended(w uint64) bool {
	state, _ := split(w)
	return state&ownerDied != 0
}

// Living is the process that signed w, read from a life's word; 0 if its life ended or
// nobody signed.
func Living(w uint64) int {
	state, sig := split(w)
	if state&ownerMask == 0 {
		return 0
	}
	return sig.pid()
}

// Gone reports whether nothing of the process whose life ended as w runs any more,
// and which one it was. The kernel reports the end of one thread; the others may
// run for microseconds after it.
func Gone(w uint64) (pid int, gone bool) {
	_, sig := split(w)
	if sig.generation() == alive {
		return sig.pid(), true
	}
	start, err := sys.ProcessStart(sig.pid())
	if err != nil || generation(start) != sig.generation() {
		return sig.pid(), true // its id is free, or another's
	}
	return sig.pid(), sys.ProcessGone(sig.pid(), start, 0)
}
