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

// DieAs leaves a free lock as one whose owner was a process of that id and birth. It
// returns the word.
func (l *Lock) DieAs(pid int, start uint64) uint64 {
	w := word(ownerDied, sign(pid, generation(start)))
	atomic.StoreUint64(l.word, w)
	return w
}

// Heir is the keeper of who is to own the lock next, 0: nobody has waited for long.
func (l *Lock) Heir() uint32 { return claim(atomic.LoadUint64(l.heir())).tid() }

// SetHeir claims the lock for the keeper of that id, since the beginning of time.
func (l *Lock) SetHeir(tid int) { atomic.StoreUint64(l.heir(), uint64(newClaim(1<<16, uint32(tid)))) }
