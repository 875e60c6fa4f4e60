package shared

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// barrier is a Barrier as one process sees it. The state of a place is how many of
// its process are inside, and the phase says what becomes of them.
//
//	phase      who is inside             who comes
//	filling    waits for the others      is one more, if there is room
//	draining   all came: goes on         waits until the last has gone
//	broken     gets ErrBrokenBarrier     too
//	resetting  gets ErrBrokenBarrier     waits until the last has gone
//
// When the last has gone, draining and resetting become filling.
type barrier struct {
	watch
	parties int
}

const (
	filling = uint64(iota)
	draining
	broken
	resetting
)

// The queues of a barrier.
const (
	passing  = 0 // inside
	entering = 1
)

func (*barrier) kind() (mem.Kind, string) { return mem.KindBarrier, "Barrier" }

func (v *barrier) begin(m *monitor.Monitor) error {
	n := m.Word(0)
	if n < 1 || n > maxParties {
		return fmt.Errorf("tandem: shared.Barrier: one of %d parties came", n)
	}
	v.Monitor, v.parties = m, int(n)
	return nil
}

func (v *barrier) phase() uint64 { return v.Word(1) }

func (v *barrier) setPhase(p uint64) {
	v.SetWord(1, p)
	v.WakeAll()
}

func (v *barrier) reset() {
	switch {
	case v.inside() == 0:
		v.setPhase(filling)
	case v.phase() != draining:
		v.setPhase(resetting)
	}
}

func (v *barrier) inside() (n int) {
	for i := range v.Used() {
		n += int(min(v.State(i), maxParties))
	}
	return n
}

// arrive makes the caller one of those inside; -1 if there is no room yet.
func (v *barrier) arrive() (index int, err error) {
	index = v.inside()
	switch phase := v.phase(); {
	case phase == broken:
		return -1, ErrBrokenBarrier
	case phase != filling || index >= v.parties:
		return -1, nil
	}
	v.SetState(v.Me(), v.State(v.Me())+1)
	return index, nil
}

func (v *barrier) leave() {
	if n := v.State(v.Me()); n > 0 {
		v.SetState(v.Me(), n-1)
	}
	v.Settle()
}

// giveUp is leave for who does not wait to the end.
func (v *barrier) giveUp() {
	if v.phase() == filling {
		v.setPhase(broken)
	}
	v.leave()
}

// enterAgain enters as one of those inside the barrier, or gives up.
func (v *barrier) enterAgain(ctx context.Context) error {
	err := v.Enter(ctx)
	if err != nil {
		v.Later(v.giveUp)
	}
	return err
}

// pass waits for the others, as one of those inside.
func (v *barrier) pass(ctx context.Context, index int, action func() error) error {
	if index == v.parties-1 && v.phase() == filling {
		if err := v.act(ctx, action); err != nil {
			return err
		}
	}
	gone := func() (bool, error) {
		switch v.phase() {
		case filling:
			return false, nil
		case draining:
			v.leave()
			return true, nil
		}
		v.leave()
		return true, ErrBrokenBarrier
	}
	if over, err := gone(); over {
		return v.quit(err)
	}
	return v.Await(ctx, passing, gone, v.giveUp)
}

// act runs the last one's action, outside, and lets everybody go on. It returns
// inside, or with an error outside.
func (v *barrier) act(ctx context.Context, action func() error) (err error) {
	if err := v.Leave(); err != nil {
		return err
	}
	whole := false
	defer func() { // also when the action panics or ends its goroutine
		if !whole {
			v.Finish(v.giveUp)
		} else if err = v.enterAgain(ctx); err == nil && v.phase() == filling {
			v.setPhase(draining)
		}
	}()
	err = action()
	whole = err == nil
	return err
}

// Gone breaks the barrier if one died who was inside and waited.
func (v *barrier) Gone(place, pid int) {
	if v.State(place) > 0 && v.phase() == filling {
		v.setPhase(broken)
	}
}

func (v *barrier) Settle() {
	if p := v.phase(); (p == draining || p == resetting) && v.inside() == 0 {
		v.setPhase(filling)
	}
}
