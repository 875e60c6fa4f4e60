package monitor

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
)

// Places is how many processes can use one thing at once.
const Places = 256

// Queues is how many queues of waiters a thing may have.
const Queues = 3

// Words is how many words of its own a machine has.
const Words = 6

// Where the parts lie in a segment.
const (
	lockAt  = mem.HeaderSize
	tableAt = lockAt + lock.Size
	livesAt = tableAt + 8*(2+Words)
	// Size is what a monitor takes in a segment behind the header.
	Size = livesAt + Places*(lock.LifeSize+placeSize) - mem.HeaderSize

	placeSize = 32
)

// table is the memory behind the lock. The lives are in the first page, where the
// kernel's list can reach them.
type table struct {
	tickets uint64 // the last one drawn
	used    uint64 // no place from here on was ever taken
	words   [Words]uint64
	lives   [Places]uint64
	places  [Places]place
}

// place belongs to one process.
type place struct {
	state   uint64 // the machine's: what the process holds
	ticket  uint64 // since when its first waiter waits
	waiting [Queues]uint32
	wake    uint32 // changes when its waiters should look
}

// awaited reports whether somebody of the process waits, in any queue.
func (p *place) awaited() bool {
	for q := range p.waiting {
		if atomic.LoadUint32(&p.waiting[q]) > 0 {
			return true
		}
	}
	return false
}

// Word is word k of the machine.
func (m *Monitor) Word(k int) uint64 { return atomic.LoadUint64(&m.table.words[k]) }

// Look is word k for who is outside; 0 if the monitor is closed. In a race build it
// looks inside, where the detector sees what the word puts in order.
func (m *Monitor) Look(k int) uint64 {
	if lock.Shadowed && m.Enter(context.Background()) == nil {
		defer m.Leave()
	}
	w := m.Word(k)
	runtime.KeepAlive(m)
	return w
}

// SetWord changes word k.
func (m *Monitor) SetWord(k int, v uint64) { atomic.StoreUint64(&m.table.words[k], v) }

// State is what the process at place i holds. What it says is a peer's word.
func (m *Monitor) State(i int) uint64 { return atomic.LoadUint64(&m.table.places[i].state) }

// SetState changes what the process at place i holds.
func (m *Monitor) SetState(i int, v uint64) { atomic.StoreUint64(&m.table.places[i].state, v) }

// Me is this process's place.
func (m *Monitor) Me() int { return m.me }

// Used bounds the places that are in use.
func (m *Monitor) Used() int {
	return max(int(min(atomic.LoadUint64(&m.table.used), Places)), m.me+1)
}

// Waiting is how many waiters of queue q the process at place i has; 0 if it ended.
func (m *Monitor) Waiting(i, q int) int {
	n := atomic.LoadUint32(&m.table.places[i].waiting[q])
	if n == 0 || lock.Ended(atomic.LoadUint64(&m.table.lives[i])) {
		return 0
	}
	return int(n)
}

// First is the place whose waiter in queue q is served next, or -1: that of the
// process which has waited longest since it was served.
func (m *Monitor) First(q int) int {
	first, oldest := -1, ^uint64(0)
	for i := range m.Used() {
		if m.Waiting(i, q) == 0 {
			continue
		}
		if t := atomic.LoadUint64(&m.table.places[i].ticket); first < 0 || t < oldest {
			first, oldest = i, t
		}
	}
	return first
}

// Serve says that n waiters of queue q at place i have been given what they wait
// for. Their process is woken.
func (m *Monitor) Serve(i, q, n int) {
	p := &m.table.places[i]
	left := int(atomic.LoadUint32(&p.waiting[q])) - n
	atomic.StoreUint32(&p.waiting[q], uint32(max(left, 0)))
	m.Wake(i)
}

// Requeue puts the process at place i behind the others that wait, when it has been
// served.
func (m *Monitor) Requeue(i int) { m.drawTicket(&m.table.places[i]) }

func (m *Monitor) drawTicket(p *place) {
	atomic.StoreUint64(&p.ticket, atomic.AddUint64(&m.table.tickets, 1))
}

// Wake has the waiters of the process at place i look again, once this process has
// left.
func (m *Monitor) Wake(i int) {
	atomic.AddUint32(&m.table.places[i].wake, 1)
	m.wakes[i/64] |= 1 << (i % 64)
}

// WakeAll has all waiters look again.
func (m *Monitor) WakeAll() {
	for i := range m.Used() {
		for q := range Queues {
			if m.Waiting(i, q) > 0 {
				m.Wake(i)
			}
		}
	}
}
