package lock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// Errors of a lock. None comes with the lock held.
var (
	ErrClosed         = errors.New("closed")
	ErrNotHeld        = errors.New("not held by this process")
	ErrNotRecoverable = errors.New("not recoverable")
)

// OwnerDied says that the process that held the lock died, or closed it.
type OwnerDied struct {
	PID int // its process id
}

func (e *OwnerDied) Error() string { return fmt.Sprintf("owner %d died", e.PID) }

// Lock is a lock as one process sees it; there is one for each lock of a segment.
// Its methods are safe for concurrent use. It belongs to the process, not to a
// goroutine: any goroutine may release what another took.
type Lock struct {
	word   *uint64 // in the segment, or in its tomb
	mine   uint64  // the word when this process holds and nobody sleeps
	shadow shadow

	state   *uint32 // the first half of word, for the kernel
	tid     uint32
	sig     signature
	queue   queue
	segment *mem.Segment // also keeps word and state alive
	off     int
	keeper  *keeper
}

// Init makes a lock at off of a new segment, which nobody else has yet.
func Init(s *mem.Segment, off int) error {
	ns, err := sys.PIDNamespace()
	*s.Long(off + namespaceAt) = ns
	return err
}

// Open returns this process's Lock at off of s.
func Open(s *mem.Segment, off int) (*Lock, error) {
	u, err := s.User(off, func() (mem.User, error) {
		ns, err := sys.PIDNamespace()
		if err != nil {
			return nil, fmt.Errorf("tandem: shared lock: %w", err)
		}
		if made := *s.Long(off + namespaceAt); made != ns {
			return nil, fmt.Errorf("tandem: shared lock: it was made in another PID namespace, where thread ids mean other threads: %w", errors.ErrUnsupported)
		}
		k, err := enlist(s.Companion(off + stateAt))
		if err != nil {
			return nil, err
		}
		return &Lock{
			word: s.Long(off + stateAt), mine: word(k.tid, k.sig),
			state: s.Word(off + stateAt), tid: k.tid, sig: k.sig,
			segment: s, off: off, keeper: k,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return u.(*Lock), nil
}

// Segment is where the lock lies.
func (l *Lock) Segment() *mem.Segment { return l.segment }

// noted: somebody is told of each taking and giving back. Else a free lock is taken and
// given back without a call, which costs a tenth.
var noted = Shadowed || deadlock.Watched

// TryLock takes the lock if it is free and not kept for one who has waited for long. It
// does not block.
func (l *Lock) TryLock() bool {
	ok := atomic.CompareAndSwapUint64(l.word, 0, l.mine)
	if ok && noted {
		l.acquired()
	}
	runtime.KeepAlive(l)
	return ok
}

// acquired follows the taking of the lock.
func (l *Lock) acquired() {
	l.shadow.acquire()
	l.segment.Begin()
	if deadlock.Watched {
		deadlock.Took(l.thing(), 1)
	}
}

// released precedes the giving back.
func (l *Lock) released() {
	l.gives()
	l.segment.End()
	l.shadow.release()
}

// gives tells who looks for deadlocks that the lock is about to be given back, if this
// process has it.
func (l *Lock) gives() {
	if state, _ := split(atomic.LoadUint64(l.word)); deadlock.Watched && state&ownerMask == l.tid {
		deadlock.Gives(l.thing(), 1)
	}
}

// thing is the lock for who looks for deadlocks.
func (l *Lock) thing() deadlock.Thing {
	return deadlock.Thing{File: l.segment.ID(), Off: l.off, Shares: 1}
}

// holder is who has the lock.
func (l *Lock) holder() []int {
	_, sig := split(atomic.LoadUint64(l.word))
	runtime.KeepAlive(l)
	return []int{sig.pid()}
}

// Whole reports whether the lock is neither poisoned nor one whose owner died.
func (l *Lock) Whole() bool {
	state, _ := split(atomic.LoadUint64(l.word))
	runtime.KeepAlive(l)
	return state != poisoned && state&ownerDied == 0
}

// Lock takes the lock, or returns without it: with *OwnerDied,
// ErrNotRecoverable, ErrClosed, or the cause of ctx. A free lock is taken
// without a look at ctx.
func (l *Lock) Lock(ctx context.Context) error {
	if l.TryLock() {
		return nil
	}
	_, _, err := l.wait(ctx, false)
	return err
}

// Unlock gives the lock back. Its errors are ErrNotHeld, and ErrClosed if the
// last handle of this process was closed meanwhile; then others have learned that
// their owner died.
func (l *Lock) Unlock() error {
	if noted || !atomic.CompareAndSwapUint64(l.word, l.mine, 0) {
		return l.unlock()
	}
	runtime.KeepAlive(l)
	return nil
}

// unlock is Unlock where that is more than one instruction.
func (l *Lock) unlock() error {
	l.gives()
	if Shadowed { // the detector must see the release before others can take the lock
		if state, _ := split(atomic.LoadUint64(l.word)); state&ownerMask == l.tid {
			l.segment.End()
			l.shadow.release()
		}
	}
	return l.giveUp(0, 1)
}

// giveUp ends a hold: the word becomes w, and up to n sleepers are woken, if
// there can be any. Every step is a compare-and-swap from the word of this very
// process: should it be dying, and the kernel have said so already, then it fails
// instead of ruining what others have made of the lock since.
func (l *Lock) giveUp(w uint64, n int) error {
	defer runtime.KeepAlive(l)
	for {
		now := atomic.LoadUint64(l.word)
		state, _ := split(now)
		switch {
		case state == buried:
			return ErrClosed
		case state&ownerMask != l.tid:
			return ErrNotHeld
		case w == 0 && state&hasSleeper != 0 && l.keep(now):
			return nil
		case !atomic.CompareAndSwapUint64(l.word, now, w):
			continue
		}
		if state&hasSleeper != 0 {
			l.wake(n)
		}
		return nil
	}
}

// wake wakes sleepers of any process. On a word that is mapped it cannot fail.
func (l *Lock) wake(n int) {
	sys.FutexWake(l.state, n)
	runtime.KeepAlive(l)
}

const everybody = math.MaxInt32

// Bury makes the lock say that it is closed.
func (l *Lock) Bury(tomb mem.View) { *tomb.Long(l.off + stateAt) = word(buried, 0) }

// Detach ends this process's use of the lock (rule 9).
func (l *Lock) Detach(real mem.View) {
	deadlock.Forget(l.segment.ID())
	w := real.Long(l.off + stateAt)
	for {
		now := atomic.LoadUint64(w)
		state, _ := split(now)
		if state&ownerMask != l.tid {
			break
		}
		if atomic.CompareAndSwapUint64(w, now, word(state&hasSleeper|ownerDied, sign(l.sig.pid(), alive))) {
			break
		}
	}
	heir := real.Long(l.off + heirAt)
	if c := claim(atomic.LoadUint64(heir)); c.tid() == l.tid && atomic.CompareAndSwapUint64(heir, uint64(c), 0) {
		atomic.CompareAndSwapUint64(w, c.kept(), 0)
	}
	l.keeper.dismiss(l.segment.Companion(l.off + stateAt))
	// A front of this process that sleeps shall look at the tomb; and the wake it
	// may have had goes on (rule 5).
	state := real.Word(l.off + stateAt)
	sys.FutexInterrupt(state, l.mark())
	sys.FutexWake(state, 1)
}

// mark calls the front of this process away from its sleep. Another process may
// have the same mark by chance: its front looks again and sleeps on.
func (l *Lock) mark() uint32 { return markOf(l.tid) }

func markOf(tid uint32) uint32 { return 1 << (tid % 32) }
