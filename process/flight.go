package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// flight is one call on a lane: what may end it early, and how. The goroutine that
// makes the call owns it, timers and Close reach it through its mutex. It is used
// again for the next call; whoever may come late brings the call's number.
type flight struct {
	lane *lane
	slot ring.Slot // on a lane with a ring
	head bool      // it boarded an empty lane

	// The assignment's, under its mutex.
	boarded time.Duration
	landed  bool
	chunk   bool // of a batch, whose pump looks after what waits behind it

	// Who waits for its turn writes awaited and then looks at leads, and the one before
	// it the other way round: so f.mu, which is most often another processor's, is taken
	// for those alone who wait for that.
	leads   atomic.Int64 // since when no other call is in front, a time.Duration; 0: one is
	awaited atomic.Bool  // something is to be done then

	mu      sync.Mutex
	task    string
	limits  tandem.Limits
	items   int  // of a chunk
	fixed   bool // it cannot be taken back: it went through the socket, where it would stay
	ctx     context.Context
	seq     uint32
	open    bool  // the call is on
	armed   bool  // its timers run, or will when it leads
	timed   bool  // they run
	halt    error // it must not run: its pool was closed
	back    bool  // it is not to wait behind others
	cause   error // why it was asked to stop, nil if it was not
	unhook  func() bool
	limit   *time.Timer
	grace   *time.Timer
	memory  *time.Timer
	spend   *time.Timer
	spent   time.Duration // by the worker, of processor time, before the call
	start   *time.Timer
	arrived chan struct{} // closed when it leads, for whoever waits for that

	// Kept between calls.
	answer  []byte
	handles codec.Handles // beside an answer
	large   slab.Exchange // what is large in it
}

var (
	// errDied says that the worker died in the call; its death says how.
	errDied = errors.New("worker died")
	// errMoved says that the call was taken back before it was started.
	errMoved = errors.New("taken back")
)

// embark makes f a new call. The assignment's mutex is held, and nobody else looks:
// a timer of an earlier call that comes late finds no call open.
func (f *flight) embark(slot ring.Slot, now time.Duration, head bool) {
	f.boarded = now
	f.slot, f.head, f.landed = slot, head, false
	if f.lane.last++; f.lane.ring != nil {
		f.lane.last = uint32(slot.Seq())
	}
	f.seq = f.lane.last
	f.leads.Store(0)
	if head {
		f.leads.Store(int64(now))
	}
	f.halt, f.back, f.cause, f.arrived, f.armed, f.timed = nil, false, nil, nil, false, false
	f.awaited.Store(false)
}

// unread is when a call came to lead whose predecessor's end was not measured.
const unread = 1

// lead is called when no other call is in front of f any more: it runs, or will as
// soon as its worker can. The assignment's mutex is held.
func (f *flight) lead(now time.Duration) {
	f.leads.Store(max(int64(now), unread))
	if !f.awaited.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.arrived != nil {
		close(f.arrived)
		f.arrived = nil
	}
	if f.open && f.armed && !f.timed {
		f.clock()
		if !f.lane.crowded() { // otherwise inspect sees to it
			f.expect()
		}
	}
}

// turn waits until f leads. What comes through the lane's socket comes in the order
// of the calls.
func (f *flight) turn() {
	f.mu.Lock()
	f.awaited.Store(true)
	if f.leads.Load() > 0 {
		f.mu.Unlock()
		return
	}
	arrived := make(chan struct{})
	f.arrived = arrived
	f.mu.Unlock()
	<-arrived
}

// begin opens the call, or the chunk of so many items. It reports why it must not run
// at all.
func (f *flight) begin(ctx context.Context, task string, limits *tandem.Limits, items int, fixed bool) error {
	if limits.Memory > 0 {
		f.lane.worker.weigh(limits.Memory)
	}
	f.mu.Lock() // without defer: each call comes by here
	f.ctx, f.task, f.limits, f.items, f.fixed, f.open = ctx, task, *limits, items, fixed, true
	halt := f.halt
	f.mu.Unlock()
	return halt
}

// Sleep arms what may end the call early. The ring calls it when the answer does
// not come at once: a call that is over in microseconds needs none of this.
func (f *flight) Sleep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.armed {
		return
	}
	f.armed = true
	f.awaited.Store(true)
	seq, ctx := f.seq, f.ctx
	if ctx.Done() != nil {
		f.unhook = context.AfterFunc(ctx, func() { f.stop(seq, context.Cause(ctx)) })
	}
	if f.leads.Load() > 0 {
		f.clock()
		f.expect()
	}
	if f.back {
		f.takeBack()
	}
}

// A worker that has nothing else to do and leaves a call alone for longer is frozen,
// or its memory was written over. With a time limit that is when the call should
// have been over; on a busy machine a process may have to wait for a processor.
const (
	untaken      = 2 * time.Second
	leastUntaken = 100 * time.Millisecond
)

// expect makes the call go elsewhere if the worker does not begin with it, and the
// worker go. f.mu is held.
func (f *flight) expect() {
	if f.lane.ring == nil || f.lane.retire == nil || f.start != nil {
		return
	}
	after := untaken
	if t := f.limits.Time; t > 0 {
		after = min(after, max(t, leastUntaken))
	}
	f.doubtIn(after, false)
}

// doubtIn arms the doubt. f.mu is held.
func (f *flight) doubtIn(after time.Duration, again bool) {
	seq, due := f.seq, clock()+after
	f.start = time.AfterFunc(after, func() { f.doubt(seq, clock()-due, again) })
}

// suspect is called when others behind the call have been waiting for it.
func (f *flight) suspect() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open {
		f.expect()
	}
}

// doubt is called when a call has been with an idle worker for long. If it is called late,
// this process did not run itself, as in a container that was paused, and nor may the
// worker: then it has its time again.
func (f *flight) doubt(seq uint32, late time.Duration, again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lane
	switch {
	case !f.open || f.seq != seq || l.ring.Started(f.slot):
	case late > leastUntaken/2:
		f.doubtIn(leastUntaken, again)
	case f.takeBack():
		go l.retire()
	case again: // neither begun nor to be had back, and nobody was told of an answer
		go l.worker.kill("it did not begin a call that was given to it")
	default: // it may have been answered in this moment
		f.doubtIn(leastUntaken/10, true)
	}
}

// clock starts the limits, which count from when the call leads.
func (f *flight) clock() {
	seq, limits := f.seq, f.limits
	f.timed = true
	if limits.Time > 0 && f.items == 1 { // of a chunk see last
		left := limits.Time
		if since := f.leads.Load(); since != unread {
			left -= clock() - time.Duration(since)
		}
		f.limit = time.AfterFunc(left, func() { f.overtime(seq) })
	}
	if limits.Memory > 0 && !f.lane.worker.held(limits.Memory) {
		f.memory = time.AfterFunc(weighEvery, func() { f.weigh(seq, limits.Memory) })
	}
	if limits.CPU > 0 { // of a chunk no two items go together
		f.spent, _ = sys.CPUTime(f.lane.worker.proc.PID)
		f.spend = time.AfterFunc(soonest(limits.CPU), func() { f.count(seq) })
	}
}

// last says that of a chunk only the item that runs is left. Its time began at most
// lookAfter ago.
func (f *flight) last() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = 1
	if seq := f.seq; f.open && f.limits.Time > 0 {
		f.limit = time.AfterFunc(f.limits.Time, func() { f.overtime(seq) })
	}
}

// overtime stops a call that has run for the time of its limit. One that the worker
// has not begun has not run at all: see expect for that. Outside pools nobody expects.
func (f *flight) overtime(seq uint32) {
	f.mu.Lock()
	task, limit := f.task, f.limits.Time
	late := f.open && f.seq == seq && (f.lane.ring == nil || f.lane.retire == nil || f.lane.ring.Started(f.slot))
	if f.open && f.seq == seq && !late {
		f.limit.Reset(limit)
	}
	f.mu.Unlock()
	if late {
		f.stop(seq, fmt.Errorf("tandem: %s: stopped after %v: %w", task, limit, tandem.ErrTimeout))
	}
}

// asked is why the call was asked to stop, nil if it was not.
func (f *flight) asked() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}

// distrust takes a worker out of its pool whose answer kept the rules and was no
// answer: damaged memory, or a decoder that refuses what its encoder wrote.
func (f *flight) distrust() {
	if f.lane.retire != nil {
		f.lane.retire()
	}
}

// end closes the call and returns why it was asked to stop, nil if it was not.
func (f *flight) end() error {
	f.mu.Lock() // without defer: each call comes by here
	f.open = false
	if f.armed || f.start != nil {
		if f.unhook != nil {
			f.unhook()
		}
		for _, t := range []*time.Timer{f.limit, f.grace, f.memory, f.spend, f.start} {
			if t != nil {
				t.Stop()
			}
		}
		f.unhook, f.limit, f.grace, f.memory, f.spend, f.start = nil, nil, nil, nil, nil, nil
	}
	f.ctx = nil
	cause := f.cause
	f.mu.Unlock()
	return cause
}

// weighEvery is how often a worker with a memory limit is looked at while it runs
// a call: 10 µs each time.
const weighEvery = 10 * time.Millisecond

// weigh kills the worker if its call has broken the memory limit and lives. The
// kernel checks RLIMIT_DATA against what was mapped before, so one allocation,
// whatever its size, can pass; what it maps next is refused, and ends it, unless
// there is no next. Of a worker with a group this is done while that could not be
// given the limit.
func (f *flight) weigh(seq uint32, limit int64) {
	size, err := f.lane.worker.size()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.open || f.seq != seq:
	case err == nil && size > limit:
		go f.lane.worker.starve()
	default: // also if it could not be read, as when this program has no descriptor left
		f.memory.Reset(weighEvery)
	}
}

// stop ends the call if it has not started, and otherwise asks it to end, and
// kills after the grace time: the first cause wins, a second one is not heard. In a
// worker with threads a kill hits the neighbours too, so the worker is taken out of
// the pool first, at once for a limit, and for a cancellation when the call has not
// listened; then its neighbours have the grace time.
func (f *flight) stop(seq uint32, cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.open || f.seq != seq || f.cause != nil {
		return
	}
	f.cause = cause
	l, w := f.lane, f.lane.worker
	if f.takeBack() {
		return
	}
	if f.items > 1 {
		l.ring.Trim(f.slot)
	}
	go w.say(wire.Cancel, seq, wire.AppendUint64(nil, uint64(l.index))) // a worker that does not read must not block this
	grace := f.limits.GraceTime()
	if w.plan.lanes <= 1 || l.retire == nil || f.halt != nil {
		f.grace = time.AfterFunc(grace, func() { f.kill(seq) })
		return
	}
	if errors.Is(cause, tandem.ErrTimeout) {
		go l.retire()
		f.grace = time.AfterFunc(grace, func() { f.kill(seq) })
		return
	}
	f.grace = time.AfterFunc(grace, func() {
		l.retire()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.open && f.seq == seq {
			f.grace = time.AfterFunc(grace, func() { f.kill(seq) })
		}
	})
}

// takeBack takes the call back if the worker has not begun it. After a broken rule
// nothing is believed not to have been begun. f.mu is held.
func (f *flight) takeBack() bool {
	l := f.lane
	return l.ring != nil && !f.fixed && !l.worker.distrusted.Load() && l.ring.TakeBack(f.slot)
}

func (f *flight) kill(seq uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open && f.seq == seq {
		go f.lane.worker.kill(fmt.Sprintf("a task in it did not stop when it was asked (%v)", f.cause))
	}
}

// stopNow stops the call, which may not have begun, for Close. The assignment's
// mutex is held.
func (f *flight) stopNow(cause error) {
	f.mu.Lock()
	f.halt = cause
	seq := f.seq
	f.mu.Unlock()
	f.stop(seq, cause)
}

// abandon gives up a flight whose call was not sent.
func (f *flight) abandon() {
	if f.lane.ring != nil {
		f.lane.ring.Abandon(f.slot)
	}
}
