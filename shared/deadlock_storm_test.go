//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// board is where the players of a storm write down what they do, by themselves.
type board [12]struct {
	PID, Waits int // Waits: the number of a seat and one; 0: it does not
	Wants      int
	Has        [6]int // of each seat how many shares
}

// whole is the number of shares of a lock that has readers and a writer.
const whole = 1000

func (s seat) shares() (all, wants int) {
	switch s.How {
	case "Semaphore":
		return 2, 1
	case "RWMutex, writing":
		return whole, whole
	case "RWMutex, reading":
		return whole, 1
	}
	return 1, 1
}

// canMove plays on from what the board says, as long as anybody can move, and reports
// whether player me ever does.
func (b board) canMove(seats []seat, me int) bool {
	for moved := true; moved; {
		moved = false
		for i, p := range b {
			if p.Waits > 0 && !b.obstructed(seats, i) {
				b[i].Waits, b[i].Has, moved = 0, [6]int{}, true // it gets it, and later gives all back
			}
		}
	}
	return b[me].Waits == 0
}

func (b board) obstructed(seats []seat, i int) bool {
	k := b[i].Waits - 1
	free, _ := seats[k].shares()
	writer := false
	for _, o := range b {
		if o.Waits > 0 { // others give all back
			free -= o.Has[k]
			writer = writer || o.Waits == k+1 && o.Wants == whole
		}
	}
	return b[i].Wants > free || b[i].Wants < whole && writer && free < whole
}

// TestDeadlockStorm: many take what they like in any order; each who is told of a
// deadlock is in one.
func TestDeadlockStorm(t *testing.T) {
	t.Parallel()
	c := cast{Role: "take in any order", N: 3, Board: open[*shared.Value[board]](t)(shared.NewValue(board{})), Event: newEvent(t)}
	for _, how := range []string{"Mutex", "Mutex", "RWMutex, reading", "RWMutex, reading"} {
		c.Seats = append(c.Seats, newSeat(t, how))
	}
	for range 2 {
		c.Seats = append(c.Seats, seat{How: "Semaphore", Sem: newSemaphore(t, 2)})
	}
	var all []*process.Handle[int]
	for i := range len(board{}) / c.N {
		c.Script = []string{fmt.Sprint(i)}
		all = append(all, watched(t, c))
	}
	time.Sleep(*stormTime)
	c.Event.Set()
	told := 0
	for _, h := range all {
		n, err := h.Wait(soon(t))
		if err != nil {
			t.Error(err)
		}
		told += n
	}
	t.Logf("%d deadlocks", told)
	if told == 0 {
		t.Error("nobody was told of a deadlock, and with so many in any order there are some")
	}
}

// N goroutines play, until the event is set. The result is how often one was told.
var _ = scene("take in any order", func(ctx context.Context, c cast) (told int, err error) {
	var first int
	fmt.Sscan(c.Script[0], &first)
	var group sync.WaitGroup
	var mu sync.Mutex
	for i := range c.N {
		group.Go(func() {
			for !c.Event.IsSet() {
				order := rand.Perm(len(c.Seats))[:2+rand.IntN(2)]
				e := nested(ctx, c, first*c.N+i, order)
				mu.Lock()
				if dead := (*shared.DeadlockError)(nil); errors.As(e, &dead) {
					told++
				} else {
					err = errors.Join(err, e)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return told, err
})

// nested takes one after the other. It answers another error than that of a deadlock if
// it was told of one that is none.
func nested(ctx context.Context, c cast, me int, order []int) error {
	if len(order) == 0 {
		return nil
	}
	k := order[0]
	s := c.Seats[k]
	if s.RW != nil && rand.IntN(2) == 0 {
		s = s.as("RWMutex, writing")
	}
	_, wants := s.shares()
	note := func(waits, wants, has int) error {
		return c.Board.Update(ctx, func(b *board) error {
			b[me].PID, b[me].Waits, b[me].Wants, b[me].Has[k] = os.Getpid(), waits, wants, has
			return nil
		})
	}
	if err := note(k+1, wants, 0); err != nil {
		return err
	}
	inside := false
	err := s.with(ctx, func() error {
		inside = true
		if err := note(0, 0, wants); err != nil {
			return err
		}
		err := nested(ctx, c, me, order[1:])
		return errors.Join(err, note(0, 0, 0))
	})
	if dead := (*shared.DeadlockError)(nil); !inside && errors.As(err, &dead) {
		now, e := c.Board.Load(ctx)
		if e != nil {
			return e
		}
		if now.canMove(c.Seats, me) {
			return fmt.Errorf("player %d was told of what is none (%v): %+v", me, dead.Error(), now)
		}
		if e := note(0, 0, 0); e != nil {
			return e
		}
	}
	return err
}
