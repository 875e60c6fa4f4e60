package monitor

import (
	"container/list"
	"context"
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/lock"
)

const (
	// longestSleep bounds what a lost wake can cost, and how late waiters learn of a
	// death.
	longestSleep = 100 * time.Millisecond
	// soon is when to look again at a process that is about to end.
	soon = time.Millisecond
)

// ErrNoContext: a nil context where one has to wait.
var ErrNoContext = errors.New("the context is nil; use context.Background()")

// waiter is a goroutine that waits.
type waiter struct {
	try  func() (bool, error)
	done chan error // has room for the outcome
	in   *list.Element
}

// Await waits in queue q until try says that it has ended, and returns try's error;
// or the cause of ctx, and then left is called inside to undo what was done for the
// waiting. The caller is inside, has found nothing for it, and is outside when
// Await returns. try is called inside, by another goroutine, for the first of the
// queue.
func (m *Monitor) Await(ctx context.Context, q int, try func() (bool, error), left func()) error {
	return m.AwaitShares(ctx, q, deadlock.Thing{}, 0, try, left)
}

// AwaitShares is Await for who waits for n shares of what others of the queues have or
// wait for, and give back when they please: he may be told of a deadlock.
func (m *Monitor) AwaitShares(ctx context.Context, q int, what deadlock.Thing, n int, try func() (bool, error), left func()) error {
	if ctx == nil {
		m.Leave()
		return ErrNoContext
	}
	w := &waiter{try: try, done: make(chan error, 1)}
	m.mu.Lock()
	w.in = m.queues[q].PushBack(w)
	start := !m.pumping
	m.pumping = true
	m.serve() // first those before it, or they would be counted twice
	m.mu.Unlock()
	m.Leave() // should it fail, the pump learns why
	if start {
		go m.pump()
	}
	var watch *deadlock.Wait
	if n > 0 && deadlock.Watched {
		watch = deadlock.Begin(ctx, deadlock.Request{
			What: what, Wants: n, Peers: m.peers, Still: func() bool { return m.waits(w) },
		})
		defer watch.End()
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return m.abandon(context.Cause(ctx), q, w, left)
	case <-watch.Told():
		return m.abandon(watch.Err(), q, w, left)
	}
}

// waits reports whether w waits for certain: nothing was given to it.
func (m *Monitor) waits(w *waiter) bool {
	if m.Enter(ended) != nil {
		return false
	}
	defer m.Leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serve()
	return w.in != nil
}

// peers are the processes that use the monitor.
func (m *Monitor) peers() (pids []int) {
	for i := range m.Used() {
		if pid := lock.Living(atomic.LoadUint64(&m.table.lives[i])); pid != 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// abandon ends the waiting of w, for the reason why. A stopped process may
// have the lock for long: then it is left to the pump to undo things.
func (m *Monitor) abandon(why error, q int, w *waiter, left func()) error {
	grace, cancel := context.WithTimeout(context.Background(), longestSleep)
	defer cancel()
	inside := m.Enter(grace) == nil
	m.mu.Lock()
	waits := w.in != nil
	if waits {
		m.queues[q].Remove(w.in)
		w.in = nil
		if !inside && m.pumping {
			m.owed = append(m.owed, left)
		}
	}
	m.mu.Unlock()
	if inside {
		if waits {
			left()
		}
		m.mu.Lock()
		m.serve()
		m.mu.Unlock()
		m.machine.Settle()
		m.Wake(m.me) // the pump may have nobody left
		m.Leave()
	}
	if !waits {
		return <-w.done // both at once
	}
	return why
}

// Finish calls f inside, to end something. A stopped process may have the lock for
// long: after 100 ms Finish returns nil, and f is called when this process gets in.
func (m *Monitor) Finish(f func()) error {
	err := m.Enter(ended)
	if err == context.Canceled {
		grace, cancel := context.WithTimeout(context.Background(), longestSleep)
		defer cancel()
		err = m.Enter(grace)
	}
	switch err {
	case nil:
		f()
		return m.Leave()
	case context.DeadlineExceeded:
		m.Later(f)
		return nil
	}
	return err
}

// Later has f called inside, for who must not wait for that.
func (m *Monitor) Later(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owed = append(m.owed, f)
	if !m.pumping {
		m.pumping = true
		go m.pump()
	}
}

// ended is a context for who takes only what is free.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// pump looks after the waiters of this process as long as there are any. It is the
// one thread that sleeps for them.
func (m *Monitor) pump() {
	for {
		wake := &m.table.places[m.me].wake
		seen := atomic.LoadUint32(wake)
		if err := m.Enter(context.Background()); err != nil {
			m.fail(err)
			return
		}
		sleep := longestSleep
		if m.Reap() {
			sleep = soon
		}
		m.mu.Lock()
		owed := m.owed
		m.owed = nil
		m.mu.Unlock()
		for _, f := range owed {
			f()
		}
		m.mu.Lock()
		idle := m.serve() && len(m.owed) == 0
		m.pumping = !idle
		m.mu.Unlock()
		m.machine.Settle()
		err := m.Leave()
		if idle {
			return
		}
		if err == nil {
			err = lock.Sleep(m, wake, seen, 0, sleep)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			m.fail(err)
			return
		}
		runtime.KeepAlive(m)
	}
}

// serve ends the waiting of those whose try succeeds, and reports whether nobody
// waits any more. It is inside, and mu is held.
func (m *Monitor) serve() (idle bool) {
	idle = true
	for q := range m.queues {
		for first := m.queues[q].Front(); first != nil; first = m.queues[q].Front() {
			w := first.Value.(*waiter)
			ended, err := w.try()
			if !ended {
				idle = false
				break
			}
			m.end(q, w, err)
		}
	}
	m.publish()
	return idle
}

func (m *Monitor) end(q int, w *waiter, err error) {
	m.queues[q].Remove(w.in)
	w.in = nil
	w.done <- err
}

// fail ends the waiting of all.
func (m *Monitor) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for q := range m.queues {
		for first := m.queues[q].Front(); first != nil; first = m.queues[q].Front() {
			m.end(q, first.Value.(*waiter), err)
		}
	}
	m.owed, m.pumping = nil, false
}

// publish tells the others how many wait here. It is inside, and mu is held.
func (m *Monitor) publish() {
	p := &m.table.places[m.me]
	for q := range m.queues {
		n := uint32(m.queues[q].Len())
		if n > 0 && !p.awaited() {
			m.drawTicket(p)
		}
		atomic.StoreUint32(&p.waiting[q], n)
	}
}

// Idle reports whether nobody of this process waits in queue q.
func (m *Monitor) Idle(q int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queues[q].Len() == 0
}
