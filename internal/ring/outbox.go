package ring

import "sync/atomic"

// Outbox is one lane as the parent sees it. Reserve and Abandon are called by one
// goroutine at a time; what follows for a reserved slot belongs to the goroutine
// that reserved it, but TakeBack and Started, which anybody may call.
type Outbox struct {
	parent   *Parent
	slots    []*slot
	rooms    [rooms]room
	entries  []entry
	sleeping flag // the worker's: it sleeps
	until    flag // the position from which on the worker rings

	_ [line]byte // from here on it changes with each call: what is above need not move with it

	peer    atomic.Int32 // the CPU on which the worker last ran
	widened atomic.Bool  // a slot has the room for requests
	tail    position     // the next to reserve
	head    position     // the next that a reader looks at; under Parent.mu
}

// Slot names one call of a lane between Reserve and the return of Wait.
type Slot struct{ at position }

// Seq is the number of the call in its lane; the worker's Request has the same.
func (s Slot) Seq() uint64 { return uint64(s.at) }

// entry is what the parent knows of a slot by itself. The worker cannot touch it.
type entry struct {
	state atomic.Uint64 // position and phase
	wake  chan struct{} // capacity 1; made at first use
	lane  *Outbox
	wide  bool // it has the room for requests; its reserver's alone

	// Of a chunk. Written by PublishItems, then read and written under Parent.mu.
	items   int // 0: it is a plain call
	limit   int // how many of them the worker may begin
	trimmed bool

	_ [line - 8 - 6*8]byte
}

// phase is what the parent knows of a call. Whoever changes it does so by
// compare-and-swap, and settles by it what the two sides' words leave open.
type phase uint8

const (
	idle      phase = iota // free for this position
	reserved               // being written
	published              // the worker may have it; if somebody waits, it looks itself
	parked                 // it waits for its channel
	noticed                // it may look now
	retaken                // taken back
	settled                // its outcome is being read
)

func note(p position, f phase) uint64      { return uint64(p)<<3 | uint64(f) }
func noted(s uint64) (p position, f phase) { return position(s >> 3), phase(s & 7) }

func newOutbox(p *Parent, at plan, i int) *Outbox {
	o := &Outbox{
		parent: p, slots: at.slotsOf(p.segment.View, i), rooms: roomsOf(p.segment.View, at, i), entries: make([]entry, at.slots),
		sleeping: flagAt(p.segment.View, at.sleepAt(i)), until: flagAt(p.segment.View, at.untilAt(i)), tail: origin(at.slots), head: origin(at.slots),
	}
	o.peer.Store(-1)
	for j := range o.entries {
		pos := o.tail.plus(j)
		e := o.entry(pos)
		e.lane = o
		e.state.Store(note(pos, idle))
	}
	return o
}

// met notes where the worker ran; most often that is where it ran before.
func (o *Outbox) met(cpu uint32) {
	if o.peer.Load() != int32(cpu) {
		o.peer.Store(int32(cpu))
	}
}

func (o *Outbox) entry(p position) *entry { return &o.entries[int(p)&(len(o.entries)-1)] }
func (o *Outbox) slot(p position) *slot   { return o.slots[int(p)&(len(o.slots)-1)] }

// Reserve takes the next slot; ok is false when the lane is full. It does not
// lock: the caller's own mutex must be held. Every reserved slot is given to
// Abandon, or to Publish and then once to Wait. The worker does not pass a
// reserved slot, so little should happen before.
func (o *Outbox) Reserve() (s Slot, ok bool) {
	e := o.entry(o.tail)
	if e.state.Load() != note(o.tail, idle) {
		return Slot{}, false
	}
	e.state.Store(note(o.tail, reserved))
	s = Slot{o.tail}
	o.tail = o.tail.plus(1)
	return s, true
}

// Room is the memory of a reserved slot, of length 0 and capacity Inline. What is
// appended to it need not be copied by Publish.
func (o *Outbox) Room(s Slot) []byte { return o.slot(s.at).inline[:0] }

// Abandon gives up a slot that was reserved and not published. Unlike Reserve it
// needs no mutex.
func (o *Outbox) Abandon(s Slot) {
	o.free(s)
	o.rouse()
}

// Publish gives the call to the worker, and wakes it if it sleeps: a system call.
// It panics if request is longer than Inline, or than Wide for a slot that has a room.
func (o *Outbox) Publish(s Slot, request []byte) {
	o.submit(s, request, 0, 0)
}

// PublishAside is Publish for a request that the worker gets another way.
func (o *Outbox) PublishAside(s Slot) {
	o.submit(s, nil, 0, asideBit)
}

// submit publishes a chunk of so many items, or a plain call.
func (o *Outbox) submit(s Slot, request []byte, items int, bits word) {
	e, sl := o.entry(s.at), o.slot(s.at)
	if e.state.Load() != note(s.at, reserved) {
		panic("tandem: ring: a slot was published that is not reserved")
	}
	if e.items, e.limit, e.trimmed = items, items, false; items > 0 {
		sl.progress.Store(uint64(packProgress(s.at, 0, items)))
	}
	e.state.Store(note(s.at, published)) // a reserved slot is its reserver's alone
	length, wide := o.put(sl, e, request)
	sl.parentCPU = uint32(o.parent.cpus.CPU())
	if o.parent.waiters.Load() > 0 {
		sl.parentCPU |= crowd
	}
	sl.word.Store(uint64(pack(s.at, queued, length, bits|wide)))
	o.rouse()
}

// Nudge wakes the worker, if it sleeps, though there is nothing for it yet: it looks
// awake for a short time, as after a call, and then sleeps again. It is a system call.
func (o *Outbox) Nudge() { o.rouse() }

// rouse wakes the worker's lane if it sleeps.
func (o *Outbox) rouse() {
	if o.sleeping.Load() == awake {
		return
	}
	switch o.sleeping.Swap(awake) {
	case blocked:
		o.sleeping.wake()
	case dormant:
		o.parent.alarm.sound()
	}
}

// Started reports whether the worker says that it has started the call, and not
// yet answered. It is a hint.
func (o *Outbox) Started(s Slot) bool {
	w := word(o.slot(s.at).word.Load())
	return w.position() == s.at && w.state() == started
}

// TakeBack takes a published call back, if the worker has not started it. Then the
// call's Wait returns ErrTaken, and the worker never runs it.
func (o *Outbox) TakeBack(s Slot) bool {
	p, e, sl := o.parent, o.entry(s.at), o.slot(s.at)
	p.mu.Lock()
	defer p.mu.Unlock()
	w := word(sl.word.Load())
	if w.position() != s.at || w.state() != queued {
		return false
	}
	for {
		st := e.state.Load()
		at, f := noted(st)
		if at != s.at || f != published && f != parked && f != noticed {
			return false // the call is over, whatever the word says
		}
		// The worker's word first: once it is taken there, no honest worker starts it.
		if w.state() == queued && !sl.word.CompareAndSwap(uint64(w), uint64(w.in(taken))) {
			return false
		}
		w = w.in(taken)
		if !e.state.CompareAndSwap(st, note(s.at, retaken)) {
			continue // the waiter parked, or gave that up
		}
		if f == parked {
			p.parked.Add(-1)
			e.wake <- struct{}{}
		} else {
			p.bell.kick()
		}
		return true
	}
}

// notice wakes the waiter of a call, if it is parked, so that it looks. Parent.mu
// is held.
func (e *entry) notice() (was bool) {
	st := e.state.Load()
	at, f := noted(st)
	if f != parked || !e.state.CompareAndSwap(st, note(at, noticed)) {
		return false
	}
	e.lane.parent.parked.Add(-1)
	e.wake <- struct{}{}
	return true
}

// free makes the slot ready for its next position.
func (o *Outbox) free(s Slot) {
	next := s.at.plus(len(o.slots))
	o.narrow(o.entry(s.at))
	o.slot(s.at).word.Store(uint64(pack(next, free, 0, 0)))
	o.entry(s.at).state.Store(note(next, idle))
}
