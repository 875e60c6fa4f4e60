package shared

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/monitor"
)

// Cond is where processes wait for a change of what a Mutex protects. It is made by
// NewCond; the zero Cond is closed. Its methods are safe for concurrent use by all
// processes. It must not be copied: pass the pointer. As a field of a task's argument
// or result it becomes a handle of the same condition, and of its lock, on the other
// side.
//
// When, which also takes the lock and gives it back, is the way to use it that
// leaves nothing to forget.
//
// A signal goes to who has waited longest: in a process in the order of coming, and
// processes take turns. One whose receiver gives up or dies before he has the lock
// goes to the next, so a waiter may wake without need and has to look again.
type Cond struct {
	handle[cond, *cond]
	mutex Mutex
}

// NewCond makes a condition of what m protects. It costs some system calls and 12
// KiB of memory.
func NewCond(m *Mutex) (*Cond, error) {
	l := m.lock.Load()
	if l == nil || !l.Segment().RetainOpen() {
		return nil, closed("Mutex")
	}
	c := new(Cond)
	if err := c.mutex.open(l.Segment()); err != nil {
		return nil, err
	}
	if err := c.make(); err != nil {
		c.mutex.Close()
		return nil, err
	}
	return c, nil
}

// Mutex is the lock, a handle of its own that is closed with the Cond.
func (c *Cond) Mutex() *Mutex { return &c.mutex }

// When takes the lock, waits until ready reports true, runs f, and gives the lock
// back. ready and f run with the lock held. It returns f's error, or those of Wait.
func (c *Cond) When(ctx context.Context, ready func() bool, f func() error) error {
	if err := c.mutex.Lock(ctx); err != nil {
		return err
	}
	held := true
	defer func() {
		if held {
			c.mutex.Unlock()
		}
	}()
	for !ready() {
		held = false
		if err := c.Wait(ctx); err != nil {
			return err
		}
		held = true
	}
	return f()
}

// Wait gives the lock back, waits for Signal or Broadcast, and takes the lock again.
// It returns nil with the lock held, or an error without it: the cause of ctx; when
// the owner of the lock died, *OwnerDiedError, within a tenth of a second, or
// ErrNotRecoverable; or one that wraps tandem.ErrClosed. So it is not for the
// function of a With, which gives the lock back itself. It panics if this process
// does not hold the lock.
func (c *Cond) Wait(ctx context.Context) error {
	l := c.mutex.lock.Load()
	if l == nil {
		return closed("Cond")
	}
	var v *cond
	err := public("Cond", monitor.ErrNoContext)
	if ctx != nil {
		v, err = c.enter(ctx)
	}
	// From inside: nobody can signal before the caller is in the queue.
	if e := l.Unlock(); e != nil {
		if v != nil {
			v.Leave()
		}
		if e == lock.ErrNotHeld {
			panic(misuse("Cond", "Wait", e))
		}
		return c.error(e)
	}
	if err != nil {
		return err
	}
	signalled := false
	err = v.Await(ctx, 0, func() (bool, error) {
		signalled = v.signalled()
		return signalled || !l.Whole(), nil
	}, func() {})
	if err != nil {
		return c.error(err)
	}
	err = c.mutex.Lock(ctx)
	if !signalled {
		if err == nil { // somebody has repaired it meanwhile: as good as a signal
			return nil
		}
		return err
	}
	if e := c.arrived(v, err == nil); e != nil && err == nil {
		l.Unlock()
		return e
	}
	return err
}

// arrived ends the way of a signal: to who has the lock, or to the next.
func (c *Cond) arrived(v *cond, here bool) error {
	return c.error(v.Finish(func() {
		v.taken--
		v.drop(v.Me())
		if !here {
			v.signal()
		}
	}))
}

// Signal wakes one who waits, if there is one. The caller may hold the lock.
func (c *Cond) Signal() error { return c.wake((*cond).signal) }

// Broadcast wakes all who wait. The caller may hold the lock.
func (c *Cond) Broadcast() error { return c.wake((*cond).broadcast) }

func (c *Cond) wake(f func(v *cond)) error {
	v, err := c.enter(context.Background())
	if err != nil {
		return err
	}
	f(v)
	return c.error(v.Leave())
}

// Close gives this handle back, and that of its lock; other handles stay. Who waits
// here gets an error that wraps tandem.ErrClosed, if this was the last handle of
// this process. Close may be called again.
func (c *Cond) Close() error { return errors.Join(c.handle.Close(), c.mutex.Close()) }

// AppendHandles and SetHandles let a Cond travel.
func (c *Cond) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	dst, err := c.handle.AppendHandles(dst, h)
	if err != nil {
		return dst, err
	}
	return c.mutex.AppendHandles(dst, h)
}

// SetHandles makes c a handle of what was sent.
func (c *Cond) SetHandles(src []byte, h *tandem.Handles) error {
	if len(src) != 2 {
		return fmt.Errorf("tandem: shared.Cond: a handle of %d bytes, want 2", len(src))
	}
	if err := c.mutex.SetHandles(src[1:], h); err != nil {
		return err
	}
	err := c.handle.SetHandles(src[:1], h)
	if err != nil {
		c.mutex.Close()
	}
	return err
}
