package ring

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// ErrClosed is what Next returns after Close.
var ErrClosed = errors.New("tandem: ring: closed")

// Worker is a worker's side of its rings. Its methods are safe for concurrent use.
type Worker struct {
	segment  *mem.Segment
	spinners *Spinners
	cpus     sys.CPUSource
	bell     flag
	fd       int // the eventfd
	alarm    wakened
	lanes    []*Inbox
	closed   atomic.Bool
}

// Open opens what the parent's Files lists, and its Alarm, which is nil if there is
// none and otherwise does not block. It takes the files. spinners are those of the tree
// of processes, nil if this process may not spin.
func Open(segment, eventfd, alarm *os.File, spinners *Spinners) (*Worker, error) {
	fd, err := sys.TakeFD(eventfd)
	if err != nil {
		segment.Close()
		return nil, errors.Join(err, (wakened{file: alarm}).close())
	}
	w := &Worker{spinners: spinners, fd: fd, alarm: newWakened(alarm)}
	if w.segment, err = mem.Open(segment, mem.KindRing, layoutVersion); err == nil {
		err = w.find(w.segment.View)
	}
	if err != nil {
		w.Release()
		return nil, err
	}
	return w, nil
}

// find finds what lies in the segment.
func (w *Worker) find(v mem.View) error {
	at, cpus, err := planOf(v)
	if err != nil {
		return err
	}
	w.cpus, w.bell = sys.CPUSource(cpus), flagAt(v, bellAt)
	for i := range at.lanes {
		w.lanes = append(w.lanes, &Inbox{
			worker: w, slots: at.slotsOf(v, i), rooms: roomsOf(v, at, i), sleeping: flagAt(v, at.sleepAt(i)), until: flagAt(v, at.untilAt(i)),
			at: origin(at.slots), peer: -1, courtesy: patience{credit: crowdCredit, banned: 512}, roused: roused(flagAt(v, at.sleepAt(i))),
		})
	}
	return nil
}

// Release gives memory and descriptor back, when no lane is in use any more. A
// process that ends need not call it.
func (w *Worker) Release() error {
	err := errors.Join(sys.CloseFD(w.fd), w.alarm.close())
	if w.segment != nil {
		err = errors.Join(err, w.segment.Release())
	}
	return err
}

// Lanes lists the lanes.
func (w *Worker) Lanes() []*Inbox { return w.lanes }

// Close makes each Next return ErrClosed, now or at its next call. A request that
// Next has returned can still be answered.
func (w *Worker) Close() {
	w.closed.Store(true)
	for _, in := range w.lanes {
		in.sleeping.Store(awake)
		in.sleeping.wake()
	}
	w.alarm.end()
}

// ring wakes the parent if it sleeps and wants to know of the answer at a position.
func (w *Worker) ring(in *Inbox, at position) {
	if w.bell.Load() == awake || int32(uint32(at)-in.until.Load()) < 0 {
		return
	}
	switch w.bell.Swap(awake) {
	case polling:
		sys.Ring(w.fd)
	case napping:
		w.bell.wake()
	}
}

// Inbox is one lane as the worker sees it. It is for one goroutine, which calls
// Next, and Done, DoneWide or DoneAside for each request.
type Inbox struct {
	worker   *Worker
	slots    []*slot
	rooms    [rooms]room
	sleeping flag
	until    flag // what is answered before need not be told
	roused   func(uintptr) bool
	polled   time.Time // when it last left the poller
	at       position  // of the present request, or the next
	busy     bool      // a request is not answered yet
	peer     int32     // the CPU on which the parent last published
	crowd    bool      // others waited for this worker then
	patience patience
	courtesy patience // in a crowd
	begun    int      // items of the present chunk
	kept     []byte   // the request of a chunk
}

// Request is a call as it arrives.
type Request struct {
	Seq   uint64
	Bytes []byte // valid until the answer is begun; of a chunk, until Done
	Aside bool   // the bytes come another way
	Items int    // 0: a plain call; otherwise a chunk, whose items go through Begin
}

// Next blocks until the parent has published a request, and marks it as started:
// from then on the parent cannot take it back. It waits awake for a short time,
// then it sleeps, which costs no processor time and blocks one thread.
func (in *Inbox) Next() (Request, error) {
	if in.busy {
		panic("tandem: ring: Next before Done")
	}
	for {
		if in.worker.closed.Load() {
			return Request{}, ErrClosed
		}
		sl := in.slot()
		w := word(sl.word.Load())
		ahead := in.at.behind(w.position())
		switch {
		case ahead == 0 && w.state() == queued:
			if !sl.word.CompareAndSwap(uint64(w), uint64(w.in(started))) {
				continue // taken back in this moment
			}
			in.peer, in.crowd = int32(sl.parentCPU&^crowd), sl.parentCPU&crowd != 0
			sl.workerCPU = uint32(in.worker.cpus.CPU())
			in.busy = true
			bytes, ok := in.request(sl, w)
			if !ok {
				return Request{}, fmt.Errorf("tandem: ring: %w: at position %d the parent shows a room that is not there", wire.ErrProtocol, in.at)
			}
			r := Request{Seq: uint64(in.at), Bytes: bytes, Aside: w.aside()}
			if w.chunk() {
				in.beginChunk(sl, &r)
			}
			return r, nil
		case w == 0, ahead == 0 && w.state() == free, ahead == -len(in.slots) && w.state() >= done:
			in.wait(sl, w) // nothing is there yet, or the answer of a round ago
		case ahead == 0 && w.state() == taken, ahead > 0:
			in.at = in.at.plus(1) // taken back, and perhaps used again since
		default:
			return Request{}, fmt.Errorf("tandem: ring: %w: at position %d the parent shows state %d of position %d", wire.ErrProtocol, in.at, w.state(), w.position())
		}
	}
}

// block sleeps until the parent wakes the lane.
func (in *Inbox) block(how uint32) {
	alarm := in.worker.alarm
	switch {
	case alarm.file == nil:
		in.sleeping.wait(blocked, -1)
		return
	case how == blocked && (!in.sleeping.wait(blocked, blockFor) || !in.sleeping.CompareAndSwap(blocked, dormant)):
		return
	}
	alarm.raw.Read(in.roused)
	in.polled = time.Now()
	runtime.Gosched() // somebody else looks after the poller while this goroutine works
}

func (in *Inbox) slot() *slot { return in.slots[int(in.at)&(len(in.slots)-1)] }

// wait returns when the word is no longer w, and now and then for no reason.
func (in *Inbox) wait(sl *slot, w word) {
	changed := func() bool { return sl.word.Load() != uint64(w) || in.worker.closed.Load() }
	sp := spin{spinners: in.worker.spinners, patience: &in.patience, gentle: in.peer == int32(in.worker.cpus.CPU())}
	if in.crowd {
		sp.invite(&in.courtesy)
	}
	for !changed() {
		if sp.round() {
			continue
		}
		sp.end()
		in.sleep(changed)
		return
	}
	sp.end()
}

func (in *Inbox) sleep(changed func() bool) {
	how := uint32(blocked)
	if in.worker.alarm.file != nil && time.Since(in.polled) < pollAgain {
		how = dormant
	}
	in.sleeping.Store(how)
	if !changed() {
		in.block(how)
	}
	in.sleeping.Store(awake)
}

// beginChunk makes r the request of a chunk. The outcomes grow where the request
// lies while it is still needed, so it moves away first.
func (in *Inbox) beginChunk(sl *slot, r *Request) {
	in.kept = append(in.kept[:0], r.Bytes...)
	in.begun, r.Bytes = 0, in.kept
	// Trim leaves the number of items only here. What was taken back already need not
	// be shown.
	r.Items = max(1, progress(sl.progress.Load()).limit())
}

// Begin begins item i of the present chunk: they are begun in order, from 0. False
// means that this one and all behind it were taken back: stop, and call Done. The
// outcomes of the items before must be complete in Room, where the parent may look
// at them from now on.
func (in *Inbox) Begin(i int) bool {
	if !in.busy || i != in.begun {
		panic(fmt.Sprintf("tandem: ring: Begin(%d), where %d is the next", i, in.begun))
	}
	sl := in.slot()
	for {
		g := progress(sl.progress.Load())
		if !g.at(in.at) || g.begun() != i || i >= g.limit() {
			return false
		}
		if sl.progress.CompareAndSwap(uint64(g), uint64(packProgress(in.at, i+1, g.limit()))) {
			in.begun++
			return true
		}
	}
}

// Room is the memory for the answer, of length 0 and capacity Inline. It is the
// memory of the request: of a plain call, decode first.
func (in *Inbox) Room() []byte { return in.slot().inline[:0] }

// Done answers the present request, and wakes the parent if it sleeps. What was
// appended to Room is not copied again. It panics if answer is longer than
// Inline.
func (in *Inbox) Done(answer []byte) {
	in.publish(answer, 0)
}

// DoneAside is Done for an answer of which answer is in the slot, and something
// goes another way besides.
func (in *Inbox) DoneAside(answer []byte) { in.publish(answer, asideBit) }

func (in *Inbox) publish(answer []byte, bits word) {
	if !in.busy {
		panic("tandem: ring: Done without a request")
	}
	if len(answer) > Inline {
		panic(fmt.Sprintf("tandem: ring: an answer of %d bytes in a slot of %d; larger ones need a room, or go aside", len(answer), Inline))
	}
	in.finish(copy(in.slot().inline[:], answer), bits)
}

// finish gives the slot back, with so much in it.
func (in *Inbox) finish(length int, bits word) {
	in.busy = false
	sl := in.slot()
	sl.workerCPU = uint32(in.worker.cpus.CPU())
	sl.word.Store(uint64(pack(in.at, done, length, bits)))
	at := in.at
	in.at = at.plus(1)
	in.worker.ring(in, at)
	runtime.KeepAlive(in.worker.segment)
}
