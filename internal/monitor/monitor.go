package monitor

import (
	"container/list"
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// ErrFull: there are already as many processes as a thing has places for.
var ErrFull = errors.New("256 processes use it already, which is the most")

// Machine gives the words of a monitor their meaning. Its methods are called
// inside.
type Machine interface {
	// Gone is told that the process at place is no more, before the place is
	// cleared: what it held is free by that.
	Gone(place, pid int)
	// Settle serves the waiters for whom there is something. It may be called at any
	// time, and by any process.
	Settle()
}

// Monitor is a monitor as one process sees it; there is one for each segment. Its
// methods are safe for concurrent use; those of the table are for who is inside.
type Monitor struct {
	lock    *lock.Lock
	segment *mem.Segment // also keeps the table's memory
	table   *table
	machine Machine
	me      int
	wakes   [Places / 64]uint64 // whom Leave wakes
	joined  atomic.Bool

	// Of this process alone. No peer can unlock it, as it can the lock.
	mu       sync.Mutex
	life     *lock.Life
	detached bool
	queues   [Queues]list.List // of *waiter
	pumping  bool
	owed     []func() // what those left undone who could not get in
}

// Init makes a monitor in a new segment, which nobody else has yet.
func Init(s *mem.Segment, words ...uint64) error {
	copy(mem.At[table](s.View, tableAt).words[:], words)
	return lock.Init(s, lockAt)
}

// Open returns this process's Monitor of s. The first time begin makes its machine.
func Open(s *mem.Segment, begin func(*Monitor) (Machine, error)) (*Monitor, error) {
	l, err := lock.Open(s, lockAt)
	if err != nil {
		return nil, err
	}
	u, err := s.User(tableAt, func() (mem.User, error) {
		m := &Monitor{lock: l, segment: s, table: mem.At[table](s.View, tableAt)}
		m.machine, err = begin(m)
		return m, err
	})
	if err != nil {
		return nil, err
	}
	return u.(*Monitor), nil
}

// Machine is what Open's begin made.
func (m *Monitor) Machine() Machine { return m.machine }

// Thing is what the monitor gives out, of which there are so many shares, for who looks
// for deadlocks.
func (m *Monitor) Thing(shares int) deadlock.Thing {
	return deadlock.Thing{File: m.segment.ID(), Off: tableAt, Shares: shares}
}

// Segment is where the monitor lies.
func (m *Monitor) Segment() *mem.Segment { return m.segment }

// Enter takes the lock, or returns without it: with the cause of ctx,
// lock.ErrClosed, or ErrFull. A free lock is taken without a look at ctx. After a
// death inside there is nothing to repair: every change is one store of one word,
// and everything else is derived from those.
func (m *Monitor) Enter(ctx context.Context) error {
	for !m.lock.TryLock() {
		if ctx == nil {
			return ErrNoContext
		}
		err := m.lock.Lock(ctx)
		if died := (*lock.OwnerDied)(nil); errors.As(err, &died) {
			if err = m.lock.Repair(ctx, func(*lock.OwnerDied) error { return nil }); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		break
	}
	return m.entered()
}

// EnterSoon is Enter for who comes because another process is just about to leave:
// it tries for some microseconds before it sleeps, where a sleep would cost tens.
func (m *Monitor) EnterSoon(ctx context.Context) error {
	for pauses := range 40 {
		for range pauses {
			sys.Pause()
		}
		if m.lock.TryLock() {
			return m.entered()
		}
	}
	return m.Enter(ctx)
}

// entered is the end of every way in.
func (m *Monitor) entered() error {
	if !m.joined.Load() {
		if err := m.join(); err != nil {
			m.Leave()
			return err
		}
	}
	return nil
}

// Leave gives the lock back, and wakes whom Wake was called for.
func (m *Monitor) Leave() error {
	wakes := m.wakes
	if wakes == [len(wakes)]uint64{} {
		return m.lock.Unlock()
	}
	m.wakes = [len(wakes)]uint64{}
	err := m.lock.Unlock()
	for i := range Places {
		if wakes[i/64]&(1<<(i%64)) != 0 {
			sys.FutexWake(&m.table.places[i].wake, 1)
		}
	}
	runtime.KeepAlive(m)
	return err
}

// join takes a place for this process. It is inside.
func (m *Monitor) join() error {
	m.Reap()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.detached {
		return lock.ErrClosed
	}
	for i := range Places {
		if atomic.LoadUint64(&m.table.lives[i]) != 0 {
			continue
		}
		life, err := lock.BeginLife(m.segment, livesAt+i*lock.LifeSize)
		if err != nil {
			return err
		}
		m.life, m.me = life, i
		if used := atomic.LoadUint64(&m.table.used); used <= uint64(i) {
			atomic.StoreUint64(&m.table.used, uint64(i+1))
		}
		m.joined.Store(true)
		return nil
	}
	return ErrFull
}

// Reap clears the places of processes that are no more. It reports whether there is
// one that died and has not wholly ended, so that it is worth looking again soon.
func (m *Monitor) Reap() (soon bool) {
	for i := range m.Used() {
		w := atomic.LoadUint64(&m.table.lives[i])
		if !lock.Ended(w) {
			continue
		}
		pid, gone := lock.Gone(w)
		if !gone {
			soon = true
			continue
		}
		m.machine.Gone(i, pid)
		p := &m.table.places[i]
		atomic.StoreUint64(&p.state, 0)
		for q := range Queues {
			atomic.StoreUint32(&p.waiting[q], 0)
		}
		atomic.CompareAndSwapUint64(&m.table.lives[i], w, 0) // last: until here it can be done again
	}
	return soon
}

// Bury has the pump look at the tomb, should it be about to sleep; the tomb's lock
// says that it is closed.
func (m *Monitor) Bury(tomb mem.View) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mem.At[table](tomb, tableAt).places[m.me].wake = math.MaxUint32
}

// Detach ends this process's use of the monitor. What it held is free, as after its
// death.
func (m *Monitor) Detach(real mem.View) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.detached = true
	deadlock.Forget(m.segment.ID()) // before it is free
	if m.life == nil {
		return
	}
	m.life.End(real)
	t := mem.At[table](real, tableAt)
	for i := range t.places {
		p := &t.places[i]
		if i != m.me && !p.awaited() {
			continue
		}
		// Its own waiters look at the tomb, the others at what is free now.
		atomic.AddUint32(&p.wake, 1)
		sys.FutexWake(&p.wake, 1)
	}
}
