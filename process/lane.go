package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// lane is one stream of calls to a worker, one at a time. The goroutine that
// makes a call writes it and reads its own reply; no other stands between. A
// worker with threads has one lane for each, so there is nothing to sort out.
type lane struct {
	worker   *worker
	index    int
	conn     *wire.Conn
	ring     *ring.Outbox // nil: everything goes through conn
	slot     ring.Slot    // of the present call
	numbered bool         // the present call got as far as that
	frame    []byte       // kept between calls
	answer   []byte       // too

	mu     sync.Mutex
	task   string
	limits tandem.Limits // of the call that runs
	halt   error         // no call may run any more: its pool was closed
	seq    uint32        // the call that runs
	open   bool          // it does
	cause  error         // why it was asked to stop, nil if it was not
	limit  *time.Timer
	grace  *time.Timer
	memory *time.Timer
	retire func() // takes the worker out of its pool; nil outside pools
}

func newLane(w *worker, i int, conn *wire.Conn) *lane {
	return &lane{worker: w, index: i, conn: conn}
}

// errDied says that the worker died in the call; its death says how.
var errDied = errors.New("worker died")

// call runs j on the worker. err is the outcome, or errDied; cause says why the
// call was asked to stop, nil if it was not.
func (l *lane) call(ctx context.Context, j *tandem.Job, limits tandem.Limits) (err, cause error) {
	var h codec.Handles
	frame, err := encode(ctx, j, limits, l.worker.plan.Limits.Memory, l.frame, &h)
	if err != nil {
		return err, nil
	}
	if l.numbered = l.worker.enter(); !l.numbered {
		<-l.worker.gone
		return errDied, nil
	}
	if l.ring != nil {
		l.slot, _ = l.ring.Reserve() // a lane has one call at a time, and slots for two
	}
	l.number(j.Spec().Name, limits)
	end := l.watch(ctx)
	if l.ring != nil {
		err = l.exchangeByRing(j, frame, &h, limits)
	} else {
		err = l.exchange(j, frame, &h, limits)
	}
	l.worker.exit()
	if err == errDied {
		<-l.worker.gone
	}
	return err, end()
}

// exchange sends the call through the socket and waits for the outcome there.
func (l *lane) exchange(j *tandem.Job, frame []byte, h *codec.Handles, limits tandem.Limits) error {
	if err := l.send(frame, h); err != nil {
		return err
	}
	return l.reply(j, limits)
}

// exchangeByRing puts the call into the ring and waits for the outcome there. What
// is large or has descriptors goes through the socket, and the ring says so: the
// ring first, since a large frame fills the socket until the worker reads.
func (l *lane) exchangeByRing(j *tandem.Job, frame []byte, h *codec.Handles, limits tandem.Limits) error {
	var sent error
	if body := frame[wire.HeaderSize:]; len(body) <= ring.Inline && h.Len() == 0 {
		l.keep(frame)
		l.ring.Publish(l.slot, body)
	} else {
		l.ring.PublishAside(l.slot)
		if sent = l.send(frame, h); errors.Is(sent, wire.ErrUnsent) {
			l.conn.Send(wire.Call, l.seq, wire.Room(nil), nil) // the worker waits for a frame; it will refuse this one
		}
	}
	answer, aside, err := l.ring.Wait(l.slot, l.answer[:0], nil)
	switch l.answer = answer; {
	case errors.Is(err, wire.ErrProtocol):
		return l.failed(err)
	case err != nil:
		return errDied // the ring was told that the worker is gone
	case aside:
		err = l.reply(j, limits)
	default:
		err = l.settle(j, answer, nil)
	}
	if errors.Is(sent, wire.ErrUnsent) && err != errDied {
		return sent
	}
	return err
}

// encode makes the frame of a call in buf, for a worker with a memory limit of its
// own. Its error is the caller's: nothing was sent.
func encode(ctx context.Context, j *tandem.Job, limits tandem.Limits, memory int64, buf []byte, h *codec.Handles) ([]byte, error) {
	spec := j.Spec()
	info := wire.CallInfo{Name: spec.Name, Schema: spec.Schema, Output: limits.Output, Meta: spec.Meta}
	if limits.Memory != memory {
		info.Memory = limits.Memory
	}
	if deadline, ok := ctx.Deadline(); ok {
		info.Left = max(time.Until(deadline), 1)
	}
	frame, err := j.AppendInput(info.Append(wire.Room(buf)), h)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return frame, err
}

// keep keeps a frame's memory for the next call, unless one large call would hold
// it for ever.
func (l *lane) keep(frame []byte) {
	if l.frame = frame; cap(frame) > 4<<20 {
		l.frame = nil
	}
}

// send puts the frame into the lane's socket.
func (l *lane) send(frame []byte, h *codec.Handles) error {
	l.keep(frame)
	switch err := l.conn.Send(wire.Call, l.seq, frame, h); {
	case errors.Is(err, wire.ErrUnsent): // the caller's mistake, a closed file; the worker knows nothing of it
		return fmt.Errorf("tandem: %s: argument: %w", l.task, err)
	case err != nil:
		return l.failed(err)
	}
	return nil
}

// reply waits for the outcome and settles j with it. errDied means that there is
// none.
func (l *lane) reply(j *tandem.Job, limits tandem.Limits) error {
	limit := int64(0)
	if limits.Output > 0 {
		limit = limits.Output + wire.MaxFailure // an error may take the result's place
	}
	var h codec.Handles
	defer h.Close()
	hd, body, err := l.conn.Recv(limit, &h)
	if err != nil {
		return l.failed(err)
	}
	switch {
	case hd.Seq != l.seq || l.conn.Unread() > 0 || hd.Kind != wire.Result && hd.Kind != wire.Unrun:
		return l.failed(fmt.Errorf("%w: %v frame %d with %d bytes behind it answers call %d", wire.ErrProtocol, hd.Kind, hd.Seq, l.conn.Unread(), l.seq))
	case hd.Kind == wire.Unrun:
		return child.Root.Failure(body)
	}
	return l.settle(j, body, &h)
}

// settle settles j with the outcome that came.
func (l *lane) settle(j *tandem.Job, outcome []byte, h *codec.Handles) error {
	err := j.SetOutput(outcome, h)
	if errors.Is(err, tandem.ErrMalformed) && l.retire != nil {
		// Damaged memory in the worker, or a decoder that refuses what its encoder
		// wrote. The frame kept the rules, so only this call fails; but the worker
		// gets no other. Its neighbours finish.
		l.retire()
	}
	return err
}

// failed turns a broken transport into errDied. A process whose lane is broken
// is of no use: it is dying, or it must.
func (l *lane) failed(err error) error {
	if errors.Is(err, wire.ErrProtocol) {
		l.worker.violated(err)
	} else {
		// The kernel closes a dying process's sockets before anybody can see its
		// death. One that merely closed them gets the grace time to explain itself.
		l.worker.leave()
	}
	return errDied
}

// number begins the next call.
func (l *lane) number(task string, limits tandem.Limits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	if l.ring != nil {
		l.seq = uint32(l.slot.Seq())
	}
	l.task, l.limits, l.open, l.cause = task, limits, true, nil
}

// watch makes ctx and the time limit stop the present call. The result ends the
// watching; it is the stop's cause, nil if there was none.
func (l *lane) watch(ctx context.Context) (end func() error) {
	seq, task, limits := l.seq, l.task, l.limits
	unhook := func() bool { return true }
	if ctx.Done() != nil {
		unhook = context.AfterFunc(ctx, func() { l.stop(seq, context.Cause(ctx)) })
	}
	if limits.Time > 0 {
		l.mu.Lock()
		l.limit = time.AfterFunc(limits.Time, func() {
			l.stop(seq, fmt.Errorf("tandem: %s: stopped after %v: %w", task, limits.Time, tandem.ErrTimeout))
		})
		l.mu.Unlock()
	}
	if limits.Memory > 0 {
		l.worker.weigh(limits.Memory)
		l.mu.Lock()
		l.memory = time.AfterFunc(weighEvery, func() { l.weigh(seq, limits.Memory) })
		l.mu.Unlock()
	}
	l.mu.Lock()
	halt := l.halt
	l.mu.Unlock()
	if halt != nil { // Close came between the choice of this lane and now
		l.stop(seq, halt)
	}
	return func() error {
		unhook()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open = false
		for _, t := range []*time.Timer{l.limit, l.grace, l.memory} {
			if t != nil {
				t.Stop()
			}
		}
		l.limit, l.grace, l.memory = nil, nil, nil
		return l.cause
	}
}

// weighEvery is how often a worker with a memory limit is looked at while it runs
// a call: 10 µs each time.
const weighEvery = 10 * time.Millisecond

// weigh kills the worker if its call has broken the memory limit and lives. The
// kernel checks RLIMIT_DATA against what was mapped before, so one allocation,
// whatever its size, can pass; what it maps next is refused, and ends it, unless
// there is no next.
func (l *lane) weigh(seq uint32, limit int64) {
	size, err := sys.DataSize(l.worker.proc.PID)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil || !l.open || l.seq != seq:
	case size > limit:
		go l.worker.starve()
	default:
		l.memory.Reset(weighEvery)
	}
}

// stop asks the call to end, and kills after the grace time: the first cause
// wins, a second one is not heard. In a worker with threads a kill hits the
// neighbours too, so the worker is taken out of the pool first, at once for a
// limit, and for a cancellation when the call has not listened; then its
// neighbours have the grace time.
func (l *lane) stop(seq uint32, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open || l.seq != seq || l.cause != nil {
		return
	}
	l.cause = cause
	w := l.worker
	go w.say(wire.Cancel, seq, wire.AppendUint64(nil, uint64(l.index))) // a worker that does not read must not block this
	grace := l.limits.GraceTime()
	if w.plan.lanes <= 1 || l.retire == nil || l.halt != nil {
		l.grace = time.AfterFunc(grace, func() { l.kill(seq) })
		return
	}
	if errors.Is(cause, tandem.ErrTimeout) {
		go l.retire()
		l.grace = time.AfterFunc(grace, func() { l.kill(seq) })
		return
	}
	l.grace = time.AfterFunc(grace, func() {
		l.retire()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open && l.seq == seq {
			l.grace = time.AfterFunc(grace, func() { l.kill(seq) })
		}
	})
}

func (l *lane) kill(seq uint32) {
	l.mu.Lock()
	runs := l.open && l.seq == seq
	cause := l.cause
	l.mu.Unlock()
	if runs {
		l.worker.kill(fmt.Sprintf("a task in it did not stop when it was asked (%v)", cause))
	}
}

// began reports whether the worker had started the present call when it died.
func (l *lane) began() bool {
	return l.numbered && l.worker.started[l.index] == child.Mark(l.seq)
}

// stopNow stops whatever call runs or is about to, for Close.
func (l *lane) stopNow(cause error) {
	l.mu.Lock()
	l.halt = cause
	seq := l.seq
	l.mu.Unlock()
	l.stop(seq, cause)
}
