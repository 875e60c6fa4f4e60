package child

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/deadlock"
)

// callContext is the context of one call. Most tasks never ask theirs, so what
// package context would make for each call is made when somebody does.
type callContext struct {
	until  time.Time // the deadline, zero: none
	callee Callee    // what is called

	mu     sync.Mutex
	real   context.Context // made at the first question
	cancel context.CancelCauseFunc
	over   bool
	cause  error // why it is over; nil: the call has ended
}

// contextBlock is how many contexts are allocated together. None is used twice: a task
// may keep its own.
const contextBlock = 32

// open begins the call, which has so much time; 0: any.
func (c *callContext) open(left time.Duration) {
	if left > 0 {
		c.until = time.Now().Add(left)
	}
}

// end ends the context. The first cause stays.
func (c *callContext) end(cause error) {
	c.mu.Lock() // without defer: each call comes by here
	if !c.over {
		c.over, c.cause = true, cause
		if c.real != nil {
			c.cancel(cause)
		}
	}
	c.mu.Unlock()
}

func (c *callContext) ask() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real == nil {
		ctx, cancel := context.WithCancelCause(context.Background())
		c.cancel = cancel
		if c.real = ctx; !c.until.IsZero() {
			var stop context.CancelFunc
			c.real, stop = context.WithDeadline(ctx, c.until)
			c.cancel = func(cause error) { cancel(cause); stop() }
		}
		if c.over {
			c.cancel(c.cause)
		}
	}
	return c.real
}

func (c *callContext) Deadline() (time.Time, bool) { return c.until, !c.until.IsZero() }
func (c *callContext) Done() <-chan struct{}       { return c.ask().Done() }
func (c *callContext) String() string              { return "tandem call" }

// Value has two of its own: the task's name, for those who log or look for deadlocks, and
// the time at which it has to end, which is zero if there is none.
func (c *callContext) Value(key any) any {
	switch key {
	case taskKey{}:
		return c.callee.Name()
	case deadlock.DeadlineKey{}:
		return c.until
	}
	return c.ask().Value(key)
}

// Err of a call that goes on is nil, and so much can be said without a real context:
// tasks ask for it in their loops.
func (c *callContext) Err() error {
	c.mu.Lock()
	goes := c.real == nil && !c.over && (c.until.IsZero() || time.Now().Before(c.until))
	c.mu.Unlock()
	if goes {
		return nil
	}
	return c.ask().Err()
}
