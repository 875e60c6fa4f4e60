package shared

import (
	"context"
	"fmt"
)

// Barrier is where a number of parties wait for each other, any number of times. It
// is made by NewBarrier; the zero Barrier is closed. Its methods are safe for
// concurrent use by all processes. It must not be copied: pass the pointer. As a
// field of a task's argument or result it becomes a handle of the same barrier on
// the other side.
//
// It breaks when somebody who waits gives up, because his context ends, or dies, or
// closes his last handle: all who wait, and all who come, get ErrBrokenBarrier
// instead of waiting for ever. Of a death they learn within a tenth of a second. A
// process that dies on its way to the barrier breaks nothing: who learns of it, as
// the error of a call, calls Abort.
//
// What a party wrote before Wait, all see after it.
type Barrier struct {
	handle[barrier, *barrier]
}

const maxParties = 1 << 20

// NewBarrier makes a barrier for parties, 1 or more. A party is a call of Wait, by
// any goroutine of any process. It costs some system calls and 12 KiB of memory.
func NewBarrier(parties int) (*Barrier, error) {
	if parties < 1 || parties > maxParties {
		return nil, fmt.Errorf("tandem: shared.NewBarrier: %d parties; there is at least one, and at most %d", parties, maxParties)
	}
	b := new(Barrier)
	if err := b.make(uint64(parties)); err != nil {
		return nil, err
	}
	return b, nil
}

// Wait waits until all parties wait. It returns which one the caller was in the
// order of coming, from 0 to parties-1. Or it returns -1 and ErrBrokenBarrier, or
// the cause of ctx, which then has broken the barrier unless all had come, or an error
// that wraps tandem.ErrClosed.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	return b.WaitWith(ctx, func() error { return nil })
}

// WaitWith is Wait with something to do before anybody goes on: the last one to
// come runs its action. A function cannot travel between processes, so each party
// brings it. If it returns an error, which its WaitWith returns, or panics, the
// barrier is broken.
func (b *Barrier) WaitWith(ctx context.Context, action func() error) (index int, err error) {
	v, err := b.enter(ctx)
	if err != nil {
		return -1, err
	}
	index, err = v.arrive()
	switch {
	case err != nil:
		v.Leave()
	case index < 0: // those before have not all left yet
		err = v.Await(ctx, entering, func() (bool, error) {
			index, err = v.arrive()
			return index >= 0 || err != nil, err
		}, func() {})
		if err == nil {
			err = v.enterAgain(ctx)
		}
		if err == nil {
			err = v.pass(ctx, index, action)
		}
	default:
		err = v.pass(ctx, index, action)
	}
	if err != nil {
		return -1, b.error(err)
	}
	return index, nil
}

// Abort breaks the barrier.
func (b *Barrier) Abort() error {
	return b.turn(func(v *barrier) { v.setPhase(broken) })
}

// Reset makes the barrier whole and empty. Who waits gets ErrBrokenBarrier, unless all
// have come.
func (b *Barrier) Reset() error { return b.turn((*barrier).reset) }

func (b *Barrier) turn(f func(v *barrier)) error {
	v, err := b.enter(context.Background())
	if err != nil {
		return err
	}
	f(v)
	return b.error(v.Leave())
}

// Broken reports whether the barrier is broken. A closed one is.
func (b *Barrier) Broken() bool {
	is := true
	err := b.turn(func(v *barrier) { is = v.phase() == broken })
	return err != nil || is
}
