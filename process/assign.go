package process

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/tandem-go/tandem"
)

// assignment decides which call goes to which lane, and how many workers there
// must be. It is a state machine under one mutex, entered by the callers' own
// goroutines. It touches no process: it changes counters and lists, and returns
// or calls back what is to be done.
//
// A worker's way: birth → workers (its lanes idle or busy) → retiring → gone.
// A call's way: admitted → queue or lane → released.
type assignment struct {
	lanes int    // of each worker
	limit int    // of the queue, 0: none
	name  string // of the pool, for errors
	birth func() // begins one worker; called with the lock held, must not block

	mu        sync.Mutex
	target    int  // workers there may be
	eager     bool // keep that many without demand
	births    int  // workers on their way
	workers   map[*worker]struct{}
	idle      []*lane   // the last used is taken first: its memory is warm
	queue     list.List // of *waiter
	accepted  int       // calls between admit and release
	phase     phase
	broken    error         // why no worker can start
	stillborn int           // births that failed in a row
	quiet     chan struct{} // closed when draining and nothing is accepted
	full      chan struct{} // closed when target workers are up for the first time, or never will be
}

type phase uint8

const (
	open phase = iota
	draining
	closed
)

type waiter struct {
	got chan *lane // capacity 1; nil means err
	err error
}

// stillbirths in a row are too many: the pool is broken.
const stillbirths = 3

func newAssignment(name string, workers, lanes, limit int, birth func()) *assignment {
	return &assignment{
		name: name, target: workers, lanes: lanes, limit: limit, birth: birth,
		workers: make(map[*worker]struct{}), quiet: make(chan struct{}), full: make(chan struct{}),
	}
}

// admit lets a call in; release must follow.
func (a *assignment) admit() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.refusalLocked()
	if err == nil {
		a.accepted++
	}
	return err
}

// refusal is why the pool takes no new calls, or nil.
func (a *assignment) refusal() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refusalLocked()
}

func (a *assignment) refusalLocked() error {
	switch a.phase {
	case draining:
		return fmt.Errorf("tandem: %s is shutting down and takes no new calls: %w", a.name, tandem.ErrClosed)
	case closed:
		return a.closedError()
	}
	return a.broken
}

func (a *assignment) closedError() error {
	return fmt.Errorf("tandem: %s: %w", a.name, tandem.ErrClosed)
}

func (a *assignment) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.accepted--; a.accepted == 0 && a.phase != open {
		a.hush()
	}
}

func (a *assignment) hush() {
	select {
	case <-a.quiet:
	default:
		close(a.quiet)
	}
}

// claim is a call's place: a lane, or a place in the queue for one.
type claim struct {
	lane   *lane
	waiter *waiter
	place  *list.Element
}

// take returns a free lane, waiting for one until ctx ends.
func (a *assignment) take(ctx context.Context) (*lane, error) {
	c, err := a.claim()
	if err != nil {
		return nil, err
	}
	return a.await(ctx, c)
}

// claim takes a free lane or joins the queue. await must follow.
func (a *assignment) claim() (claim, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.phase == closed:
		return claim{}, a.closedError()
	case a.broken != nil:
		return claim{}, a.broken
	case len(a.idle) > 0:
		l := a.idle[len(a.idle)-1]
		a.idle = a.idle[:len(a.idle)-1]
		a.engage(l)
		return claim{lane: l}, nil
	case a.limit > 0 && a.queue.Len() >= a.limit+a.coming():
		return claim{}, fmt.Errorf("tandem: %s: %d calls wait already: %w", a.name, a.limit, tandem.ErrQueueFull)
	}
	w := &waiter{got: make(chan *lane, 1)}
	c := claim{waiter: w, place: a.queue.PushBack(w)}
	a.breed()
	return c, nil
}

// await returns the lane of a claim, or gives the claim up when ctx ends.
func (a *assignment) await(ctx context.Context, c claim) (*lane, error) {
	w := c.waiter
	if w == nil {
		return c.lane, nil
	}
	select {
	case l := <-w.got:
		return l, w.err
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case l := <-w.got: // it came in the same moment; it is used, and the call finds its context ended
		return l, w.err
	default:
		a.queue.Remove(c.place)
		return nil, context.Cause(ctx)
	}
}

func (a *assignment) engage(l *lane) {
	l.worker.busy++
	l.worker.tasks++
}

// give returns a lane after a call. leave, if not nil, is a worker that has no
// more to do and must be let go.
func (a *assignment) give(l *lane) (leave *worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := l.worker
	w.busy--
	if _, here := a.workers[w]; !here {
		return nil // it has died meanwhile
	}
	if w.most > 0 && w.tasks >= w.most {
		a.withdraw(w)
	}
	switch {
	case w.retiring:
		if w.busy == 0 {
			leave = w
		}
	default:
		a.offer(l)
	}
	a.breed()
	return leave
}

// offer hands a free lane to the call that waits longest, or keeps it.
func (a *assignment) offer(l *lane) {
	if first := a.queue.Front(); first != nil {
		w := a.queue.Remove(first).(*waiter)
		a.engage(l)
		w.got <- l
		return
	}
	a.idle = append(a.idle, l)
}

// withdraw takes a worker's idle lanes away, so that it gets no further call.
func (a *assignment) withdraw(w *worker) {
	w.retiring = true
	a.idle = slices.DeleteFunc(a.idle, func(l *lane) bool { return l.worker == w })
}

// retire takes a worker out of service and reports whether it has nothing to do
// and can be let go at once.
func (a *assignment) retire(w *worker) (leave bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, here := a.workers[w]
	leave = here && !w.retiring && w.busy == 0
	if here {
		a.withdraw(w)
	}
	a.breed()
	return leave
}

// breed begins as many births as are missing. The lock is held, so that Close
// never meets a birth that was decided and has not begun.
func (a *assignment) breed() {
	if a.phase == closed || a.broken != nil {
		return
	}
	want := (a.queue.Len()+a.lanes-1)/a.lanes - a.births
	if a.eager && a.phase == open {
		want = a.target
	}
	for range min(want, a.target-a.births-a.serving()) {
		a.births++
		a.birth()
	}
}

// serving is how many workers take calls. The lock is held.
func (a *assignment) serving() (n int) {
	for w := range a.workers {
		if !w.retiring {
			n++
		}
	}
	return n
}

// coming is how many calls the workers will take that are on their way, or would
// be if one more call waited: these do not count as waiting. The lock is held.
func (a *assignment) coming() int {
	n := a.births
	if n < a.target-a.serving() {
		n++
	}
	return n * a.lanes
}

// born adds a worker that serves. It reports false if the pool has no use for it
// any more.
func (a *assignment) born(w *worker) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.births--
	a.stillborn = 0
	if a.phase == closed || a.serving() >= a.target { // closed, or resized meanwhile
		return false
	}
	a.workers[w] = struct{}{}
	for _, l := range w.lanes {
		a.offer(l)
	}
	if len(a.workers) >= a.target {
		a.filled()
	}
	return true
}

func (a *assignment) filled() {
	select {
	case <-a.full:
	default:
		close(a.full)
	}
}

// unborn notes that a birth failed. After too many in a row the pool is broken,
// and the first cause is what everybody is told.
func (a *assignment) unborn(first error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.births--
	a.stillborn++
	if a.stillborn >= stillbirths && a.broken == nil && a.phase != closed && len(a.workers) == 0 {
		a.broken = fmt.Errorf("tandem: %s is broken, its workers cannot start: %w", a.name, first)
		a.dismiss(a.broken)
		a.filled()
	}
	a.breed()
}

// died takes out a worker that is gone. Whoever notices first calls it, and it
// may be called again: a call that moves on must not meet the same worker.
func (a *assignment) died(w *worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.withdraw(w)
	delete(a.workers, w)
	a.breed()
}

// dismiss fails everybody who waits.
func (a *assignment) dismiss(err error) {
	for e := a.queue.Front(); e != nil; e = a.queue.Front() {
		w := a.queue.Remove(e).(*waiter)
		w.err = err
		w.got <- nil
	}
}

// drain stops admission; quiet is closed when the last accepted call is over.
func (a *assignment) drain() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = max(a.phase, draining)
	a.filled() // who waits in Start waits for nothing more
	if a.accepted == 0 {
		a.hush()
	}
}

// close fails what waits and returns the workers that idle and those that work.
func (a *assignment) close() (idle, busy []*worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = closed
	a.dismiss(a.closedError())
	a.filled()
	if a.accepted == 0 {
		a.hush()
	}
	for w := range a.workers {
		if w.busy > 0 {
			busy = append(busy, w)
		} else if !w.retiring {
			idle = append(idle, w)
		}
		a.withdraw(w)
	}
	return idle, busy
}

// resize changes the number of workers and returns those that can be let go at
// once; others leave after their calls.
func (a *assignment) resize(n int) (leave []*worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.target = n
	var live []*worker
	for w := range a.workers {
		if !w.retiring {
			live = append(live, w)
		}
	}
	slices.SortFunc(live, func(v, w *worker) int { return v.busy - w.busy }) // the idle go first
	for _, w := range live[:max(0, len(live)-n)] {
		if w.busy == 0 {
			leave = append(leave, w)
		}
		a.withdraw(w)
	}
	if len(live) >= n {
		a.filled()
	}
	a.breed()
	return leave
}

// keep makes the pool hold all its workers without demand.
func (a *assignment) keep() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.eager = true
	a.breed()
}
