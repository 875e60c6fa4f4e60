package child

import (
	"context"
	"time"

	"github.com/tandem-go/tandem/internal/deadlock"
)

// callContext is the context of one call. None is used twice, since a task may keep its
// own. So each call leaves one to the collector, and this one is small: on a caller that
// calls again and again a collection in the worker is what shows. What only few
// need is made for them.
type callContext struct {
	lane   *lane
	callee Callee // what is called
	state  *callState
}

// callState is there once somebody has asked for a channel, and of a call that has a
// deadline or was cancelled. Its lane's lock guards it.
type callState struct {
	until  time.Time       // the deadline, zero: none
	real   context.Context // made at the first question
	cancel context.CancelCauseFunc
	over   bool
	cause  error // why it is over; nil: the call has ended
}

// contextBlock is how many contexts are allocated together.
const contextBlock = 32

// begin makes the context of a call.
func (l *lane) begin(seq uint32) *callContext {
	if len(l.contexts) == 0 {
		l.contexts = make([]callContext, contextBlock)
	}
	c := &l.contexts[0]
	l.contexts = l.contexts[1:]
	c.lane, c.callee = l, l.callee
	l.mu.Lock() // without defer: each call comes by here
	l.seq, l.ctx = seq, c
	if l.info.Left > 0 {
		c.made().until = time.Now().Add(l.info.Left)
	}
	if l.cancelled == Mark(seq) {
		c.made().end(errAsked)
	}
	l.mu.Unlock()
	return c
}

func (l *lane) end(c *callContext) {
	l.mu.Lock()
	l.ctx = nil
	if c.state != nil {
		c.state.end(nil)
	}
	l.mu.Unlock()
}

// cancelCall ends the context of call seq, now or when it is read.
func (l *lane) cancelCall(seq uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancelled = Mark(seq)
	if l.ctx != nil && l.seq == seq {
		l.ctx.made().end(errAsked)
	}
}

// end ends the context. The first cause stays.
func (s *callState) end(cause error) {
	if s.over {
		return
	}
	s.over, s.cause = true, cause
	if s.real != nil {
		s.cancel(cause)
	}
}

// made is the state, which is made if there is none. The lane is locked.
func (c *callContext) made() *callState {
	if c.state == nil {
		c.state = &callState{over: c.lane.ctx != c}
	}
	return c.state
}

func (c *callContext) ask() context.Context {
	c.lane.mu.Lock()
	defer c.lane.mu.Unlock()
	s := c.made()
	if s.real == nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		s.real, s.cancel = ctx, cancel
		if !s.until.IsZero() {
			var stop context.CancelFunc
			s.real, stop = context.WithDeadline(ctx, s.until)
			s.cancel = func(cause error) { cancel(cause); stop() }
		}
		if s.over {
			s.cancel(s.cause)
		}
	}
	return s.real
}

func (c *callContext) Deadline() (time.Time, bool) {
	c.lane.mu.Lock()
	defer c.lane.mu.Unlock()
	if c.state == nil {
		return time.Time{}, false
	}
	return c.state.until, !c.state.until.IsZero()
}

func (c *callContext) Done() <-chan struct{} { return c.ask().Done() }
func (c *callContext) String() string        { return "tandem call" }

// Value has two of its own: the task's name, for those who log or look for deadlocks, and
// the time at which it has to end, which is zero if there is none.
func (c *callContext) Value(key any) any {
	switch key {
	case taskKey{}:
		return c.callee.Name()
	case deadlock.DeadlineKey{}:
		until, _ := c.Deadline()
		return until
	}
	return c.ask().Value(key)
}

// Err of a call that goes on is nil, and so much can be said without a real context:
// tasks ask for it in their loops.
func (c *callContext) Err() error {
	c.lane.mu.Lock()
	goes := c.lane.ctx == c
	if s := c.state; s != nil {
		goes = s.real == nil && !s.over && (s.until.IsZero() || time.Now().Before(s.until))
	}
	c.lane.mu.Unlock()
	if goes {
		return nil
	}
	return c.ask().Err()
}
