package shared

import (
	"context"
	"os"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
	"github.com/tandem-go/tandem/internal/sys"
)

// Waiting is how many wait, in all processes together.
func (h *handle[S, M]) Waiting() (n int) {
	own, err := h.enter(context.Background())
	if err != nil {
		return -1
	}
	defer own.monitor().Leave()
	return h.WaitingInside()
}

// WaitingInside is Waiting for who is inside.
func (h *handle[S, M]) WaitingInside() (n int) {
	m := M(h.at.Load()).monitor()
	for i := range m.Used() {
		for q := range monitor.Queues {
			n += m.Waiting(i, q)
		}
	}
	return n
}

// Segment is the memory in which it lies, for tests that scribble.
func (h *handle[S, M]) Segment() []byte {
	return whole(M(h.at.Load()).monitor().Segment())
}

// Segment of what has a lock and no monitor.
func (m *Mutex) Segment() []byte    { return whole(m.lock.Load().Segment()) }
func (v *Value[T]) Segment() []byte { return whole(v.opened.Load().segment()) }
func (s *Slice[T]) Segment() []byte { return whole(s.at.Load().segment) }

func whole(s *mem.Segment) []byte { return s.Bytes(0, s.Len()) }

// ReleaseWhile is Release, during which f runs inside.
func (s *Semaphore) ReleaseWhile(f func()) {
	v, _ := s.enter(context.Background())
	v.release()
	f()
	v.Leave()
}

// UnlockWhile is Unlock, during which f runs inside.
func (m *RWMutex) UnlockWhile(f func()) {
	v, _ := m.enter(context.Background())
	v.release(writers)
	f()
	v.Leave()
}

// SignalWhile is Signal, during which f runs inside.
func (c *Cond) SignalWhile(f func()) {
	v, _ := c.enter(context.Background())
	v.signal()
	f()
	v.Leave()
}

// WaitWhile is the Wait of the last party, during which f runs inside, when all have come.
func (b *Barrier) WaitWhile(f func()) {
	v, _ := b.enter(context.Background())
	v.arrive()
	v.setPhase(draining)
	f()
	v.leave()
	v.Leave()
}

// ResetInside is Reset for who is inside.
func (b *Barrier) ResetInside() { b.at.Load().reset() }

// Pins is how many are inside.
func (h *pinned[K]) Pins() int { return int(h.at.Load().state.Load() / regionPin) }

// Held, Sleeps and Label look at the word of the lock and what lies beside it; see
// internal/lock.
func (m *Mutex) Held() bool   { return atomic.LoadUint32(m.state()) != 0 }
func (m *Mutex) Sleeps() bool { return atomic.LoadUint32(m.state())>>31 != 0 }
func (m *Mutex) Label() uint64 {
	return atomic.LoadUint64(m.lock.Load().Segment().Long(mem.HeaderSize + 24))
}

func (m *Mutex) state() *uint32 { return m.lock.Load().Segment().Word(mem.HeaderSize) }

// Raw sends bytes that are no value, and a file.
func (c *Conn[Out, In]) Raw(p []byte, f *os.File) error {
	l := c.line.Load()
	var err error
	l.raw.Write(func(fd uintptr) bool {
		_, err = sys.Send(int(fd), p, []int{int(f.Fd())})
		return true
	})
	return err
}

// Queued is how many goroutines of this process wait.
func (m *Mutex) Queued() int { return m.lock.Load().Waiting() }

// Claimed reports whether somebody has waited for so long that he is to be the next
// owner; see internal/lock.
func (m *Mutex) Claimed() bool { return m.Claim() != 0 }

// Claim is who that is.
func (m *Mutex) Claim() uint64 {
	return atomic.LoadUint64(m.lock.Load().Segment().Long(mem.HeaderSize + 8))
}
