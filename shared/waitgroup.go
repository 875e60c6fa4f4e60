package shared

import (
	"context"
	"errors"
	"math"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// WaitGroup is a number of things to be done, that processes wait for to become
// zero. It is made by NewWaitGroup; the zero WaitGroup is closed. Its methods are
// safe for concurrent use by all processes. It must not be copied: pass the pointer.
// As a field of a task's argument or result it becomes a handle of the same group on
// the other side.
//
// The number belongs to nobody: what one process added another may do. So a process
// that dies leaves the number as it was, and its Done does not come. Who gave it the
// work learns of the death, as the error of the call, and is the one to call Done
// then; a Done that is deferred beside the Call instead of in the task comes in any
// case.
//
// What was written before a Done is seen after the Wait that it ended.
type WaitGroup struct {
	handle[group, *group]
}

// NewWaitGroup makes a group of nothing to do. It costs some system calls and 12 KiB
// of memory.
func NewWaitGroup() (*WaitGroup, error) {
	g := new(WaitGroup)
	if err := g.make(0); err != nil {
		return nil, err
	}
	return g, nil
}

// Add adds n, which may be negative, to the number. At zero everybody who waits now
// goes on, even if another Add follows at once. It returns an error, and adds
// nothing, if the number would become negative, or larger than 2147483647; or one
// that wraps tandem.ErrClosed. It does not panic as a sync.WaitGroup does: the one
// Done too many may have been another process's.
func (g *WaitGroup) Add(n int) error {
	v, err := g.enter(context.Background())
	if err != nil {
		return err
	}
	return g.error(v.quit(v.add(n)))
}

// Done is Add(-1).
func (g *WaitGroup) Done() error { return g.Add(-1) }

// Wait waits until the number is zero: it returns at once if it is, without a look
// at ctx. Else it returns nil when it has been zero, the cause of ctx, or an error
// that wraps tandem.ErrClosed.
func (g *WaitGroup) Wait(ctx context.Context) error {
	v, err := g.enter(ctx)
	if err != nil {
		return err
	}
	if v.number() == 0 {
		return g.error(v.Leave())
	}
	round := v.round()
	return g.error(v.Await(ctx, 0, func() (bool, error) { return v.round() != round, nil }, func() {}))
}

// group is a WaitGroup as one process sees it. The lower half of its word is the
// number; the upper half counts how often it became zero, so that nobody who waits
// misses it.
type group struct{ watch }

func (*group) kind() (mem.Kind, string) { return mem.KindWaitGroup, "WaitGroup" }

func (v *group) begin(m *monitor.Monitor) error { v.Monitor = m; return nil }

func (v *group) number() uint32 { return uint32(v.Word(0)) }
func (v *group) round() uint32  { return uint32(v.Word(0) >> 32) }

func (v *group) add(n int) error {
	was, round := v.number(), v.round()
	if n > math.MaxInt32 || int64(was)+int64(n) > math.MaxInt32 {
		return errors.New("tandem: shared.WaitGroup: the number would not fit into 31 bits")
	}
	now := int64(was) + int64(n)
	if now < 0 {
		return errors.New("tandem: shared.WaitGroup: the number would become negative; each Done belongs to an Add")
	}
	zero := now == 0 && was != 0
	if zero {
		round++
	}
	v.SetWord(0, uint64(round)<<32|uint64(now))
	if zero {
		v.WakeAll()
	}
	return nil
}

func (*group) Gone(place, pid int) {}

func (*group) Settle() {}
