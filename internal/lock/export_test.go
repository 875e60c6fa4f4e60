package lock

import (
	"os"
	"sync/atomic"
)

// State is the lock's state.
func (l *Lock) State() uint32 {
	state, _ := split(atomic.LoadUint64(l.word))
	return state
}

// Die does what the kernel does when an owner dies, whoever that is. The
// signature says that the process lives, as it does.
func (l *Lock) Die() {
	for {
		w := atomic.LoadUint64(l.word)
		state, _ := split(w)
		if !atomic.CompareAndSwapUint64(l.word, w, word(state&hasSleeper|ownerDied, sign(os.Getpid(), alive))) {
			continue
		}
		if state&ownerMask == l.tid {
			l.shadow.release()
		}
		if state&hasSleeper != 0 {
			l.wake(1)
		}
		return
	}
}
