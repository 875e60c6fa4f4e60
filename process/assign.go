package process

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
)

// assignment decides which call goes to which lane, and how many workers there
// must be. It is a state machine under one mutex, entered by the callers' own
// goroutines. It touches no process: it changes counters and lists, and returns
// or calls back what is to be done.
//
// A worker's way: birth → workers (its lanes idle or busy) → retiring → gone; see
// workforce.go. A call's way: admitted → queue → flight → over.
type assignment struct {
	lanes int    // of each worker
	limit int    // of the queue, 0: none
	name  string // of the pool, for errors
	birth func() // begins one worker; called with the lock held, must not block

	_ [64]byte // what follows changes with each call

	mu       sync.Mutex
	accepted int // calls between admit and release
	phase    phase
	looking  bool    // inspect is to come
	idle     []*lane // of those serving, without a call; the last used is taken first: its memory is warm
	pace     pace

	_ [64]byte // what follows does not

	target     int  // workers there may be
	supervised bool // a Supervisor counts the births that failed
	eager      bool // keep that many without demand
	births     int  // workers on their way
	workers    map[*worker]struct{}
	serving    []*lane       // of the workers that take calls
	queue      list.List     // of *waiter
	broken     error         // why no worker can start
	losses     losses        // births that came to nothing
	quiet      chan struct{} // closed when draining and nothing is accepted
	full       chan struct{} // closed when target workers are up for the first time, or never will be
}

type phase uint8

const (
	open phase = iota
	draining
	closed
)

type waiter struct {
	got chan *flight // capacity 1; nil means err
	err error
	want
}

// want is what is special about a call that looks for a place.
type want struct {
	alone bool  // takes a lane without a call only
	front bool  // has been waiting elsewhere, and is next
	on    *lane // on this lane behind others, and at once, or else errFull
	items int   // of a chunk, which was pulled when there was room and waits as long as it takes
}

func newAssignment(name string, workers, lanes, limit int, birth func()) *assignment {
	return &assignment{
		name: name, target: workers, lanes: lanes, limit: limit, birth: birth,
		workers: make(map[*worker]struct{}), quiet: make(chan struct{}), full: make(chan struct{}),
	}
}

// admit lets a call in; release or over must follow.
func (a *assignment) admit() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.enter()
}

func (a *assignment) enter() error {
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

// release ends a call that has no flight.
func (a *assignment) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leave()
}

func (a *assignment) leave() {
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

// claim is a call's place: a flight, or a place in the queue for one.
type claim struct {
	flight *flight
	waiter *waiter
	place  *list.Element
}

// enterAndClaim is admit and claim in one.
func (a *assignment) enterAndClaim(as want) (claim, error) {
	a.mu.Lock() // without defer: each call comes by here
	err := a.enter()
	var c claim
	if err == nil {
		if c, err = a.claimLocked(as); err != nil {
			a.leave()
		}
	}
	a.mu.Unlock()
	return c, err
}

// claim takes a place on a lane or joins the queue; await must follow.
func (a *assignment) claim(as want) (claim, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.claimLocked(as)
}

func (a *assignment) claimLocked(as want) (claim, error) {
	switch {
	case a.phase == closed:
		return claim{}, a.closedError()
	case a.broken != nil:
		return claim{}, a.broken
	}
	if l := as.on; l != nil {
		if n := len(l.row); n == 0 || n >= min(l.depth, a.pace.depth(as)) || l.stuck || l.worker.retiring || l.worker.spent() || a.queue.Len() > 0 {
			return claim{}, errFull
		}
		return claim{flight: a.engage(l, l.moment(), as)}, nil
	}
	if a.queue.Len() == 0 || as.front {
		if l := a.room(as); l != nil {
			return claim{flight: a.engage(l, l.moment(), as)}, nil
		}
	}
	if a.limit > 0 && !as.front && as.items == 0 && a.queue.Len() >= a.limit+a.coming() {
		return claim{}, fmt.Errorf("tandem: %s: %d calls wait already: %w", a.name, a.limit, tandem.ErrQueueFull)
	}
	c := claim{waiter: &waiter{got: make(chan *flight, 1), want: as}}
	if as.front {
		c.place = a.queue.PushFront(c.waiter)
	} else {
		c.place = a.queue.PushBack(c.waiter)
	}
	a.breed()
	return c, nil
}

// room is the lane that takes the next call: one that idles; or, when all workers
// are there and none idles, while calls are so short that waking somebody takes
// longer than waiting behind others, the one with the fewest.
func (a *assignment) room(as want) *lane {
	if n := len(a.idle); n > 0 {
		return a.idle[n-1]
	}
	depth := a.pace.depth(as)
	if as.alone || depth <= 1 || a.births > 0 || len(a.serving) < a.target*a.lanes {
		return nil
	}
	var best *lane
	for _, l := range a.serving {
		if !l.stuck && !l.worker.spent() && len(l.row) < min(depth, l.depth) && (best == nil || len(l.row) < len(best.row)) {
			best = l
		}
	}
	return best
}

// await returns the flight of a claim, or gives the claim up when ctx ends.
func (a *assignment) await(ctx context.Context, c claim) (*flight, error) {
	w := c.waiter
	if w == nil {
		return c.flight, nil
	}
	select {
	case f := <-w.got:
		return f, w.err
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case f := <-w.got: // it came in the same moment; it is used, and the call finds its context ended
		return f, w.err
	default:
		a.queue.Remove(c.place)
		return nil, context.Cause(ctx)
	}
}

// engage puts a call on a lane.
func (a *assignment) engage(l *lane, now time.Duration, as want) *flight {
	w := l.worker
	w.busy++
	w.tasks++
	w.calls.Add(1)
	if len(l.row) == 0 {
		if n := len(a.idle); n > 0 && a.idle[n-1] == l {
			a.idle = a.idle[:n-1]
		}
	}
	f := l.board(now)
	f.chunk = as.items > 0
	if !a.looking && l.crowded() {
		a.looking = true
		time.AfterFunc(lookEvery, a.inspect)
	}
	return f
}

// over ends a flight in which so many tasks ran, until now, or, if that is 0, at a time
// that is asked for when it has to be known; the call itself is over
// too if final. leave, if not nil, is a worker that has no more to do and must
// be let go; took is how long its lane was busy with it.
func (a *assignment) over(f *flight, now time.Duration, ran int, final bool) (leave *worker, took time.Duration) {
	a.mu.Lock() // without defer: each call comes by here
	leave, took = a.overLocked(f, now, ran, final)
	a.mu.Unlock()
	return leave, took
}

func (a *assignment) overLocked(f *flight, now time.Duration, ran int, final bool) (leave *worker, took time.Duration) {
	if final {
		a.leave()
	}
	l, w := f.lane, f.lane.worker
	if now == 0 {
		if a.pace.quick() {
			now = l.ended()
		} else {
			now = clock()
		}
	}
	took = l.alight(f, now)
	if ran > 0 && now > 0 {
		a.pace.note(took / time.Duration(ran))
	}
	w.busy--
	w.calls.Done()
	if w.dead {
		return nil, took
	}
	a.losses.good()
	if w.spent() {
		a.withdraw(w)
	}
	switch {
	case !w.retiring:
		a.offer(l)
	case w.busy == 0:
		leave = w
	}
	a.breed()
	return leave, took
}

// offer hands what room a lane has to the calls that wait longest; but a chunk comes
// behind others only if no worker is on its way, which was begun for it. A lane without
// a call is idle then.
func (a *assignment) offer(l *lane) {
	for first := a.queue.Front(); first != nil; first = a.queue.Front() {
		w := first.Value.(*waiter)
		if n := len(l.row); n > 0 && (w.alone || l.stuck || l.worker.spent() || n >= min(l.depth, a.pace.depth(w.want)) || w.items > 0 && a.births > 0) {
			return
		}
		a.queue.Remove(first)
		w.got <- a.engage(l, l.moment(), w.want)
	}
	if len(l.row) == 0 {
		a.idle = append(a.idle, l)
	}
}

// inspect comes now and then while calls wait in lanes behind others. Those behind
// one that takes long are taken back, and look for another place.
func (a *assignment) inspect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looking = false
	for _, l := range a.serving {
		if !l.crowded() {
			if len(l.row) > 0 {
				l.row[0].suspect() // what was behind it may have gone elsewhere
			}
			continue
		}
		a.looking = true
		if l.seen == l.passed {
			a.unblock(l)
		}
		l.seen = l.passed
	}
	if a.looking {
		time.AfterFunc(lookEvery, a.inspect)
	}
}

// unblock is called when the first call of a lane takes long: what waits behind it is
// taken back, and nothing comes behind it any more.
func (a *assignment) unblock(l *lane) {
	l.stuck = true
	if a.target*a.lanes > 1 { // or else they would come back here, behind others
		l.clear()
	}
	l.row[0].suspect()
}

// slow is unblock for the lane of a chunk that takes long, in front or behind another
// that does.
func (a *assignment) slow(f *flight) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !f.landed {
		a.unblock(f.lane)
	}
}

// lookEvery is the most that a call waits behind one that takes long, by half.
const lookEvery = time.Millisecond

// errFull says that a call that does not wait found no place.
var errFull = errors.New("all lanes are full")

// clock is the time since some moment. It costs half of what time.Now does.
func clock() time.Duration { return time.Since(epoch) }

var epoch = time.Now()
