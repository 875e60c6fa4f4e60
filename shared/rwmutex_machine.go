package shared

import (
	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// rwmutex is an RWMutex as one process sees it. The state of a place is the number
// of shares that its process has, and a bit for the writer. Word 0 says whether a
// writer died, word 1 who came in last.
type rwmutex struct {
	watch
	shares  uint64 // what this process knows to have
	writing bool
}

// The queues.
const (
	readers = 0
	writers = 1
)

const (
	writerBit = uint64(1) << 32
	allShares = writerBit - 1
)

// Word 0: 0 for a lock that is whole, or one of these.
const (
	health     = 0
	writerDied = uint64(1) << 32 // and the process id below
	unhealable = uint64(1) << 33
)

// Word 1: who came in last, readers or writers.
const last = 1

func (*rwmutex) kind() (mem.Kind, string) { return mem.KindRWMutex, "RWMutex" }

func (v *rwmutex) begin(m *monitor.Monitor) error { v.Monitor = m; return nil }

// check is the error of a lock that is not whole.
func (v *rwmutex) check() error {
	switch h := v.Word(health); {
	case h == 0:
		return nil
	case h&unhealable != 0:
		return ErrNotRecoverable
	default:
		return &OwnerDiedError{PID: int(uint32(h))}
	}
}

// inside counts the shares, and whether there is a writer.
func (v *rwmutex) inside() (shares uint64, writer bool) {
	for i := range v.Used() {
		s := v.State(i)
		shares += s & allShares
		writer = writer || s&writerBit != 0
	}
	return shares, writer
}

func (v *rwmutex) room(kind int) bool {
	shares, writer := v.inside()
	return !writer && v.First(writers) < 0 && (kind == readers || shares == 0)
}

// take takes what is free.
func (v *rwmutex) take(kind int) (bool, error) {
	if !v.room(kind) { // perhaps the dead have it
		v.Reap()
		v.Settle()
	}
	if err := v.check(); err != nil || !v.room(kind) {
		return false, err
	}
	v.give(v.Me(), kind, 1)
	v.note(kind)
	return true, nil
}

// give lets n of a kind in, and with that says who goes next: after a writer the
// readers, after readers a writer.
func (v *rwmutex) give(i, kind, n int) {
	if next := uint64(kind); v.Word(last) != next {
		v.SetWord(last, next)
	}
	if kind == writers {
		v.SetState(i, v.State(i)|writerBit)
	} else {
		v.SetState(i, v.State(i)+uint64(n))
	}
}

func (v *rwmutex) note(kind int) {
	if kind == writers {
		v.writing = true
	} else {
		v.shares++
	}
}

// granted notes what was given to this process.
func (v *rwmutex) granted(kind int) (bool, error) {
	if err := v.check(); err != nil {
		return true, err
	}
	s := v.State(v.Me())
	if kind == writers && (v.writing || s&writerBit == 0) || kind == readers && s&allShares <= v.shares {
		return false, nil
	}
	v.note(kind)
	return true, nil
}

func (v *rwmutex) release(kind int) error {
	s := v.State(v.Me())
	switch {
	case kind == writers && v.writing:
		v.writing = false
		s &^= writerBit
	case kind == readers && v.shares > 0:
		v.shares--
		if s&allShares > 0 {
			s--
		}
	default:
		return lock.ErrNotHeld
	}
	v.SetState(v.Me(), s)
	v.Settle()
	return nil
}

// giveBack takes from this process's state what was given to those who have left.
func (v *rwmutex) giveBack() {
	s := v.State(v.Me())
	if s&writerBit != 0 && !v.writing && v.Idle(writers) {
		s &^= writerBit
	}
	if s&allShares > v.shares && v.Idle(readers) {
		s = s&^allShares | v.shares
	}
	if s != v.State(v.Me()) {
		v.SetState(v.Me(), s)
	}
}

// took and gives tell who looks for deadlocks.
func (v *rwmutex) took(kind int) {
	if deadlock.Watched {
		deadlock.Took(v.thing(), shares(kind))
	}
}

func (v *rwmutex) gives(kind int) {
	if deadlock.Watched {
		deadlock.Gives(v.thing(), shares(kind))
	}
}

func (v *rwmutex) thing() deadlock.Thing { return v.Thing(deadlock.All) }

func shares(kind int) int {
	if kind == writers {
		return deadlock.All
	}
	return 1
}

// Gone notes that a writer died.
func (v *rwmutex) Gone(place, pid int) {
	if v.State(place)&writerBit != 0 && v.Word(health) != unhealable {
		v.SetWord(health, writerDied|uint64(uint32(pid)))
		v.WakeAll()
	}
}

func (v *rwmutex) Settle() {
	v.giveBack()
	shares, writer := v.inside()
	if writer || v.Word(health) != 0 {
		return
	}
	next := v.First(writers)
	if next >= 0 && shares > 0 {
		return // the readers inside first
	}
	if reader := v.First(readers); reader >= 0 && (next < 0 || v.Word(last) == writers) {
		for i := range v.Used() {
			if n := v.Waiting(i, readers); n > 0 {
				v.give(i, readers, n)
				v.Serve(i, readers, n)
			}
		}
	} else if next >= 0 {
		v.give(next, writers, 1)
		v.Serve(next, writers, 1)
		v.Requeue(next)
	}
}

// takeOver takes the lock whose writer died, for a repair. over says that there is
// no need to wait; died is nil if there is nothing to repair.
func (v *rwmutex) takeOver() (over bool, died *OwnerDiedError, err error) {
	v.Reap()
	died, dead := v.check().(*OwnerDiedError)
	if !dead {
		return true, nil, v.check()
	}
	if _, writer := v.inside(); writer {
		return false, nil, nil // another repairs
	}
	v.give(v.Me(), writers, 1)
	v.writing = true
	return true, died, nil
}

// repaired ends a repair. Should this process die in the middle of it, the bit of
// the writer is still there.
func (v *rwmutex) repaired(whole bool) error {
	return v.Finish(func() {
		if whole {
			v.SetWord(health, 0)
		} else {
			v.SetWord(health, unhealable)
		}
		v.WakeAll()
		v.release(writers)
	})
}
