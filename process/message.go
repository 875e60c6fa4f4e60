package process

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/ring"
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
}

var messages = sync.Pool{New: func() any { return new(message) }}

// encode encodes the call of j for a worker with a memory limit of its own. Its
// error is the caller's: nothing was sent.
func (m *message) encode(ctx context.Context, j *tandem.Job, limits tandem.Limits, memory int64) (err error) {
	m.head(ctx, j.Spec(), limits, memory)
	m.frame, err = j.AppendInput(m.frame, &m.handles)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// head begins the frame with what is known without the argument.
func (m *message) head(ctx context.Context, spec tandem.Spec, limits tandem.Limits, memory int64) {
	info := wire.CallInfo{Task: spec.ID(), Schema: spec.Schema, Output: limits.Output, Meta: spec.Meta}
	if limits.Memory != memory {
		info.Memory = limits.Memory
	}
	m.limited = limits.Memory > 0
	var bounded bool
	if m.deadline, bounded = ctx.Deadline(); bounded {
		info.Left = 1 // stamp writes what it is when the call leaves
	}
	m.frame = info.Append(wire.Room(m.frame))
}

// stamp writes the time that is left, now that the call leaves.
func (m *message) stamp() {
	if !m.deadline.IsZero() {
		wire.PutLeft(m.frame[wire.HeaderSize:], max(time.Until(m.deadline), 1))
	}
}

// inline reports whether the ring can carry the whole message.
func (m *message) inline() bool {
	return len(m.frame)-wire.HeaderSize <= ring.Inline && m.handles.Len() == 0
}

// alone reports whether the message must have a lane for itself at first: what goes
// through the socket is to be read at once, and a memory limit of its own is watched
// from the start.
func (m *message) alone() bool { return !m.inline() || m.limited }

// free gives the memory back, unless one large call would hold it for ever.
func (m *message) free() {
	m.handles.Close()
	if cap(m.frame) <= keepMost {
		messages.Put(m)
	}
}

// keepMost is the largest buffer that is kept for the next call.
const keepMost = 4 << 20
