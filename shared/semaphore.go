package shared

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// Semaphore is a number of permits that processes share. It is made by
// NewSemaphore; the zero Semaphore is closed. Its methods are safe for concurrent
// use by all processes. It must not be copied: pass the pointer. As a field of a
// task's argument or result it becomes a handle of the same permits on the other
// side.
//
// A permit belongs to the process that acquired it, and any goroutine there may
// release it. When the process dies, or closes its last handle, its permits are
// free again: nothing is protected by them that could be half changed, so nobody
// gets an error. Who waits gets them within a tenth of a second. So there are never
// more permits than at the beginning, and a Semaphore is not a counter that one
// process raises and another lowers.
//
// Nobody starves: in a process who came first is served first, and the processes
// that wait take turns. A permit that is released while somebody waits is that
// one's, and nobody overtakes.
//
// What was written before a Release is seen after the Acquire that got the permit.
type Semaphore struct {
	handle[semaphore, *semaphore]
}

const maxPermits = 1<<31 - 1

// NewSemaphore makes a semaphore of n permits, 1 or more. It costs some system
// calls and 12 KiB of memory.
func NewSemaphore(n int) (*Semaphore, error) {
	if n < 1 || n > maxPermits {
		return nil, fmt.Errorf("tandem: shared.NewSemaphore: %d permits; there is at least one, and at most 2147483647", n)
	}
	s := new(Semaphore)
	if err := s.make(uint64(n)); err != nil {
		return nil, err
	}
	return s, nil
}

// Acquire takes a permit, and waits as long as there is none. It returns nil with
// the permit, or an error without it: the cause of ctx, or an error that wraps
// tandem.ErrClosed. A free permit is taken without a look at ctx.
func (s *Semaphore) Acquire(ctx context.Context) error {
	v, err := s.enter(ctx)
	if err != nil {
		return err
	}
	if v.take() {
		err = v.Leave()
	} else {
		err = v.AwaitShares(ctx, 0, v.thing(), 1, v.granted, func() {})
	}
	if err == nil {
		v.took()
	}
	return s.error(err)
}

// TryAcquire takes a permit if one is free and nobody waits, and reports whether it
// did.
func (s *Semaphore) TryAcquire() bool {
	v, err := s.enter(context.Background())
	if err != nil {
		return false
	}
	took := v.take()
	if v.Leave() != nil || !took {
		return false
	}
	v.took()
	return true
}

// Release gives a permit back. It panics if this process has none, as after a Close
// while it had.
func (s *Semaphore) Release() {
	v, err := s.enter(context.Background())
	if err == nil {
		v.gives()
		err = v.release()
		v.Leave()
	}
	if misused(err) {
		panic(misuse("Semaphore", "Release", err))
	}
}

// With runs f with a permit, and returns Acquire's error or f's. The permit is
// released also when f panics or ends its goroutine.
func (s *Semaphore) With(ctx context.Context, f func() error) error {
	if err := s.Acquire(ctx); err != nil {
		return err
	}
	defer s.Release()
	return f()
}

// semaphore is a Semaphore as one process sees it. The state of a place is the
// number of permits that its process has; what nobody has is free. Permits are
// granted to a process that waits by raising its state, and it finds out by
// comparing with its own count.
type semaphore struct {
	watch
	permits int
	mine    uint64 // what this process knows to have
}

func (*semaphore) kind() (mem.Kind, string) { return mem.KindSemaphore, "Semaphore" }

func (v *semaphore) begin(m *monitor.Monitor) error {
	n := m.Word(0)
	if n < 1 || n > maxPermits {
		return fmt.Errorf("tandem: shared.Semaphore: one with %d permits came", n)
	}
	v.Monitor, v.permits = m, int(n)
	return nil
}

func (v *semaphore) take() bool {
	if v.free() < 1 {
		v.Reap()
		v.Settle()
		if v.free() < 1 {
			return false
		}
	}
	if v.First(0) >= 0 {
		return false
	}
	v.mine++
	v.SetState(v.Me(), v.State(v.Me())+1)
	return true
}

func (v *semaphore) granted() (bool, error) {
	if v.State(v.Me()) <= v.mine {
		return false, nil
	}
	v.mine++
	return true, nil
}

func (v *semaphore) release() error {
	if v.mine == 0 {
		return lock.ErrNotHeld
	}
	v.mine--
	if n := v.State(v.Me()); n > 0 {
		v.SetState(v.Me(), n-1)
	}
	v.Settle()
	return nil
}

// took and gives tell who looks for deadlocks.
func (v *semaphore) took() {
	if deadlock.Watched {
		deadlock.Took(v.thing(), 1)
	}
}

func (v *semaphore) gives() {
	if deadlock.Watched {
		deadlock.Gives(v.thing(), 1)
	}
}

func (v *semaphore) thing() deadlock.Thing { return v.Thing(v.permits) }

func (v *semaphore) free() int {
	free := v.permits
	for i := range v.Used() {
		free -= int(min(v.State(i), maxPermits))
	}
	return free
}

func (*semaphore) Gone(place, pid int) {}

// mostGrants bounds the work of one Settle; what is left is granted at the next.
const mostGrants = 1024

func (v *semaphore) Settle() {
	if me := v.Me(); v.State(me) > v.mine && v.Idle(0) {
		v.SetState(me, v.mine) // granted to somebody who has left
	}
	for range min(v.free(), mostGrants) {
		i := v.First(0)
		if i < 0 {
			return
		}
		v.SetState(i, v.State(i)+1)
		v.Serve(i, 0, 1)
		v.Requeue(i)
	}
}
