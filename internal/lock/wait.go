package lock

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/sys"
)

// longestSleep bounds what a wake that died with its waker or its sleeper can cost
// (rule 7).
const longestSleep = 100 * time.Millisecond

// wait takes the lock however long it takes. A repairer also takes it from an
// owner that died, and is told which.
func (l *Lock) wait(ctx context.Context, repairer bool) (died bool, dead signature, err error) {
	if ctx == nil {
		return false, 0, errors.New("the context is nil; use context.Background()")
	}
	since := sys.MonotonicNow()
	var w *deadlock.Wait
	if deadlock.Watched {
		w = deadlock.Begin(ctx, deadlock.Request{What: l.thing(), Wants: 1, Peers: l.holder})
		defer w.End()
	}
	if err := l.queue.enter(ctx, w); err != nil {
		return false, 0, err
	}
	defer l.queue.leave()
	f := front{l: l, watch: w, line: line{claim: newClaim(since, l.tid), since: since}}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, f.callAway)
		defer stop()
	}
	died, dead, err = f.take(ctx, repairer)
	f.left.Store(true)
	if err != nil {
		f.line.leave(l)
		if f.slept {
			l.wake(1) // rule 5
		}
	}
	return died, dead, err
}

// front is the one goroutine of this process that may sleep on the word.
type front struct {
	l     *Lock
	watch *deadlock.Wait
	line  line
	slept bool
	left  atomic.Bool
}

// take follows the rules until the lock is taken or cannot be.
func (f *front) take(ctx context.Context, repairer bool) (died bool, dead signature, err error) {
	l := f.l
	defer runtime.KeepAlive(l)
	for {
		w := atomic.LoadUint64(l.word)
		state, sig := split(w)
		switch {
		case state == poisoned:
			return false, 0, ErrNotRecoverable
		case state == buried:
			return false, 0, ErrClosed
		case state&ownerMask == 0 && (!isKept(state) || f.line.mayTake(w)): // free, or its owner died
			died := state&ownerDied != 0
			if died && !repairer {
				return false, 0, &OwnerDied{PID: sig.pid()}
			}
			mine := l.tid | state&hasSleeper
			if f.slept {
				mine |= hasSleeper // rule 4
			}
			if atomic.CompareAndSwapUint64(l.word, w, word(mine, l.sig)) {
				f.watch.End() // before it is noted as taken: nobody waits for himself
				l.acquired()
				f.line.taken(l, w)
				return died, sig, nil
			}
			continue
		}
		if ctx.Err() != nil {
			return false, 0, context.Cause(ctx)
		}
		if err := f.watch.Err(); err != nil {
			return false, 0, err
		}
		sleep := f.line.stand(l)
		announced := word(state|hasSleeper, sig)
		if w != announced && !atomic.CompareAndSwapUint64(l.word, w, announced) { // rule 3
			continue
		}
		f.slept = true
		err := Sleep(l, l.state, state|hasSleeper, l.mark(), sleep)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false, 0, err
		}
	}
}

// callAway runs when ctx has ended. The front may be on its way to sleep, and
// then a call would be lost: so it is called until it has left.
func (f *front) callAway() {
	for pause := 50 * time.Microsecond; !f.left.Load(); pause = min(2*pause, 5*time.Millisecond) {
		sys.FutexInterrupt(f.l.state, f.l.mark())
		time.Sleep(pause)
	}
	runtime.KeepAlive(f.l)
}
