package process

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/wire"
)

// message is a call on its way out: its frame, with what travels beside it. It is
// encoded before the call has a place, so that neither a slow encoder nor a large
// argument holds up a lane.
type message struct {
	frame    []byte
	handles  codec.Handles
	deadline time.Time
	limited  bool // it has a memory limit
	ahead    int  // bytes of the body that come before the call
	large    slab.Exchange
	handover *child.Handover // of a standby's only call
}

var messages = sync.Pool{New: func() any { return new(message) }}

// largeFrames keeps the buffers of large calls, as *[]byte, apart from messages: in a
// mix of large and small calls each message would sooner or later have met a large
// one, and the small calls in flight would hold as many megabytes as they are.
var largeFrames sync.Pool

// encode encodes the call of j for a worker of the plan. Its error is the caller's:
// nothing was sent.
func (m *message) encode(ctx context.Context, j *tandem.Job, spec *tandem.Spec, limits *tandem.Limits, p *plan) (err error) {
	if m.large.Pool = p.segments; p.segments != nil {
		m.handles.Use(&m.large)
	} else if n, _ := j.InputSize(); n > keepSmall { // all of it goes through the socket
		if frame, ok := largeFrames.Get().(*[]byte); ok {
			m.frame = *frame
		}
	}
	m.head(ctx, spec, limits, p.Limits.Memory)
	m.frame, err = j.AppendInput(m.frame, &m.handles)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// head begins the frame with what is known without the argument.
func (m *message) head(ctx context.Context, spec *tandem.Spec, limits *tandem.Limits, memory int64) {
	info := wire.CallInfo{Task: spec.ID(), Schema: spec.Schema, Output: limits.Output, Meta: spec.Meta}
	if limits.Memory != memory {
		info.Memory = limits.Memory
	}
	m.limited = limits.Memory > 0
	var bounded bool
	if m.deadline, bounded = ctx.Deadline(); bounded {
		info.Left = 1 // stamp writes what it is when the call leaves
	}
	m.frame = wire.Room(m.frame)
	if m.ahead = 0; m.handover != nil {
		m.frame = m.handover.Append(m.frame)
		m.ahead = len(m.frame) - wire.HeaderSize
	}
	m.frame = info.Append(m.frame)
}

// stamp writes the time that is left, now that the call leaves.
func (m *message) stamp() {
	if !m.deadline.IsZero() {
		wire.PutLeft(m.frame[wire.HeaderSize+m.ahead:], max(time.Until(m.deadline), 1))
	}
}

// inline reports whether a slot of a ring holds the whole message.
func (m *message) inline() bool {
	return len(m.frame)-wire.HeaderSize <= ring.Inline && m.handles.Len() == 0
}

// mount reports whether the ring of a flight's lane will carry the whole message. For one
// that is longer than a slot it takes the lane's room, if no other has it.
func (m *message) mount(f *flight) bool {
	switch {
	case f.lane.ring == nil:
		return false
	case m.inline():
		return true
	}
	return m.handles.Len() == 0 && len(m.frame)-wire.HeaderSize <= ring.Wide && f.lane.ring.Widen(f.slot)
}

// alone reports whether the message must have a lane for itself at first: what goes
// through the socket is to be read at once, as what takes the lane's room must where it
// is taken; and a memory limit of its own is watched from the start.
func (m *message) alone() bool { return !m.inline() || m.limited }

// free gives the memory back, unless one large call would hold it for ever. The call
// is over: whatever worker it was sent to has answered or is gone, and reads its
// segments no more.
func (m *message) free() {
	m.handles.Close()
	m.handles.Use(nil)
	m.handover = nil
	m.large.End(false)
	if cap(m.frame) > keepSmall {
		if cap(m.frame) <= keepMost {
			frame := m.frame // declared here: it escapes, and small calls allocate nothing
			largeFrames.Put(&frame)
		}
		m.frame = nil
	}
	messages.Put(m)
}

// keepSmall is the largest buffer that is kept for the next call, whatever it is,
// keepMost the largest for the next large one.
const (
	keepSmall = 64 << 10
	keepMost  = 4 << 20
)
