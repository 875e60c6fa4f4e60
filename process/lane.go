package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// lane is one stream of calls to a worker, which runs them one after the other.
// The goroutine that makes a call writes it and reads its own reply; no other
// stands between. A worker with threads has one lane for each.
type lane struct {
	worker *worker
	index  int
	conn   *wire.Conn
	ring   *ring.Outbox // nil: everything goes through conn
	depth  int          // calls that fit
	retire func()       // takes the worker out of its pool; nil outside pools

	// The assignment's, under its mutex; see row.go.
	row    []*flight
	spare  []*flight
	last   uint32        // number of the last call
	lately time.Duration // when the last call ended whose end was measured, or the first of the row began
	unread int           // calls that have ended since
	alone  uint          // calls that have ended with none behind them
	passed uint64        // calls that have left the row
	seen   uint64        // passed, at the last inspection
	stuck  bool          // its first call takes long
}

func newLane(w *worker, i int, conn *wire.Conn) *lane {
	return &lane{worker: w, index: i, conn: conn, depth: 1}
}

// fly runs the call of m for j. err is the outcome, errDied or errMoved; cause says
// why the call was asked to stop, nil if it was not. unstarted is valid after
// errDied: the worker had not begun the call.
func (f *flight) fly(ctx context.Context, j *tandem.Job, task string, m *message, limits *tandem.Limits) (err error, unstarted bool, cause error) {
	l, carried := f.lane, m.mount(f)
	if err := f.begin(ctx, task, limits, 1, !carried); err != nil {
		f.end()
		f.abandon()
		return err, false, err
	}
	if !carried { // it may have to wait for room in the socket
		f.Sleep()
	}
	if l.ring != nil {
		err = f.byRing(j, m, carried, limits)
	} else {
		err = f.bySocket(j, m, limits)
	}
	cause = f.end()
	switch err {
	case ring.ErrTaken:
		err = errMoved
	case ring.ErrUnstarted:
		err, unstarted = errDied, true
	}
	if err == errDied {
		<-l.worker.gone
		unstarted = unstarted || l.ring == nil && !f.began()
	}
	return err, unstarted, cause
}

// bySocket sends the call through the socket and waits for the outcome there.
func (f *flight) bySocket(j *tandem.Job, m *message, limits *tandem.Limits) error {
	if m.handles.Len() == 0 {
		f.lane.conn.Post(wire.Call, f.seq, m.frame) // leaves in reply
	} else if err := f.send(m); err != nil {
		return err
	}
	return f.reply(j, limits)
}

// byRing puts the call into the ring and waits for the outcome there.
func (f *flight) byRing(j *tandem.Job, m *message, carried bool, limits *tandem.Limits) error {
	sent := f.publish(m, carried)
	return unsent(sent, f.await(j, limits))
}

// publish gives the call to the worker. What the ring does not carry goes through
// the socket, and the ring, if there is one, says so: the ring first, since a large
// frame fills the socket until the worker reads.
func (f *flight) publish(m *message, carried bool) error {
	l := f.lane
	switch {
	case l.ring == nil:
	case carried:
		l.ring.Publish(f.slot, m.frame[wire.HeaderSize:])
		return nil
	default:
		l.ring.PublishAside(f.slot)
	}
	err := f.send(m)
	if errors.Is(err, wire.ErrUnsent) {
		l.conn.Send(wire.Call, f.seq, wire.Room(nil), nil) // the worker waits for a frame; it will refuse this one
	}
	return err
}

// await waits for the outcome of a published call.
func (f *flight) await(j *tandem.Job, limits *tandem.Limits) error {
	l := f.lane
	if l.ring == nil {
		return f.reply(j, limits)
	}
	answer, aside, err := l.ring.Wait(f.slot, f.answer[:0], f)
	switch f.answer = answer; {
	case err == nil && !aside:
		return f.settle(j, answer, nil)
	case err == nil:
		f.turn()
		return f.reply(j, limits)
	case err == ring.ErrGone:
		return errDied // the ring was told that the worker is gone
	case errors.Is(err, wire.ErrProtocol):
		return f.failed(err)
	}
	return err
}

// unsent is the outcome err of a call, unless the call could not be sent: then the
// worker's answer is but that it has come to nothing.
func unsent(sent, err error) error {
	if sent != nil && err != errDied && errors.Is(sent, wire.ErrUnsent) {
		return sent
	}
	return err
}

// send puts the call into the lane's socket.
func (f *flight) send(m *message) error {
	switch err := f.lane.conn.Send(wire.Call, f.seq, m.frame, &m.handles); {
	case errors.Is(err, wire.ErrUnsent): // the caller's mistake, a closed file; the worker knows nothing of it
		return fmt.Errorf("tandem: %s: argument: %w", f.task, err)
	case err != nil:
		return f.failed(err)
	}
	return nil
}

// reply waits for the outcome and settles j with it. errDied means that there is
// none.
func (f *flight) reply(j *tandem.Job, limits *tandem.Limits) error {
	l := f.lane
	limit := int64(0)
	if limits.Output > 0 {
		limit = limits.Output + wire.MaxFailure // an error may take the result's place
	}
	f.large.Reader, f.large.Limit = &l.worker.results, limits.Output
	defer f.large.End(false)
	h := &f.handles
	h.Use(&f.large)
	defer h.Close()
	hd, body, err := l.conn.Recv(limit, h)
	if err != nil {
		return f.failed(err)
	}
	switch {
	case hd.Kind == wire.Refused && l.conn == l.worker.control:
		l.worker.refuse(hd.Seq, body)
		return errDied
	case hd.Seq != f.seq || l.conn.Unread() > 0 && l.ring == nil || hd.Kind != wire.Result && hd.Kind != wire.Unrun:
		return f.failed(fmt.Errorf("%w: %v frame %d with %d bytes behind it answers call %d", wire.ErrProtocol, hd.Kind, hd.Seq, l.conn.Unread(), f.seq))
	case hd.Kind == wire.Unrun:
		return child.Root.Failure(body)
	}
	return f.settle(j, body, h)
}

// settle settles j with the outcome that came.
func (f *flight) settle(j *tandem.Job, outcome []byte, h *codec.Handles) error {
	err := j.SetOutput(outcome, h)
	if err != nil && errors.Is(err, tandem.ErrMalformed) {
		f.distrust() // only this call fails, and its neighbours finish
	}
	return err
}

// failed turns a broken transport into errDied. A process whose lane is broken
// is of no use: it is dying, or it must.
func (f *flight) failed(err error) error {
	if errors.Is(err, wire.ErrProtocol) {
		f.lane.worker.violated(err)
	} else {
		// The kernel closes a dying process's sockets before anybody can see its
		// death. One that merely closed them gets the grace time to explain itself.
		f.lane.worker.leave()
	}
	return errDied
}

// began reports whether the worker had started the call when it died. On a lane
// with a ring its word says so, see fly.
func (f *flight) began() bool {
	return f.lane.worker.started[f.lane.index] == child.Mark(f.seq)
}
