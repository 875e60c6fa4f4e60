package sharing

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/thread"
)

// Caught is one lost update that really happened: two threads read the same
// value, and the second to write wrote over what the first had written.
type Caught struct {
	Read      int64 `json:"both_read"`
	AWrites   int64 `json:"a_writes"`
	BWrites   int64 `json:"b_writes"`
	ShouldBe  int64 `json:"should_be"`
	AReadAt   int64 `json:"a_read_at"`
	BReadAt   int64 `json:"b_read_at"`
	AWroteAt  int64 `json:"a_wrote_at"`
	BWroteAt  int64 `json:"b_wrote_at"`
	TurnsSeen int64 `json:"turns_seen"`
}

// lost checks the case once more: both had read before A wrote, B wrote after
// that, and the sum is wrong.
func (c Caught) lost() bool {
	return c.AReadAt < c.AWroteAt && c.BReadAt < c.AWroteAt && c.AWroteAt < c.BWroteAt && c.BWrites != c.ShouldBe
}

func (c Caught) show(s *course.Stage) {
	s.Say("one of them, caught (the steps in their order):", "抓住了其中一次 (按发生的顺序)：")
	a := func() { s.Sayf("  A reads  %d", c.Read) }
	b := func() { s.Sayf("            B reads  %d", c.Read) }
	if c.AReadAt < c.BReadAt {
		a()
		b()
	} else {
		b()
		a()
	}
	s.Sayf("  A writes %d", c.AWrites)
	s.Say("            B writes %[1]d, and A's is gone: it should be %[2]d", "            B writes %[1]d，A的没了：应该是%[2]d", c.BWrites, c.ShouldBe)
}

// turn is one turn as its thread saw it. Each of the two operations lies
// between two tickets, drawn from one counter that all threads share: if one
// operation's second ticket is lower than another's first, it was earlier.
type turn struct {
	readFrom, readTo, writeFrom, writeTo int64
	read, wrote                          int64
}

// atOnce is how many turns of each thread are looked at together.
const atOnce = 4096

// catch lets two threads run with tickets until a lost update can be proved.
func catch(ctx context.Context, yield bool) (c Caught, found bool) {
	for began := time.Now(); time.Since(began) < patience && ctx.Err() == nil; {
		var num, ticket, ready atomic.Int64
		var logs [2][]turn
		var handles [2]*thread.Handle[struct{}]
		for i, n := range amounts[:2] {
			logs[i] = make([]turn, 0, atOnce)
			handles[i] = thread.Start(ctx, thread.Config{}, func(context.Context) (struct{}, error) {
				for ready.Add(1); ready.Load() < 2; { // they begin together
					runtime.Gosched()
				}
				for range atOnce {
					var t turn
					t.readFrom = ticket.Add(1)
					t.read = num.Load()
					t.readTo = ticket.Add(1)
					if yield {
						runtime.Gosched()
					}
					t.wrote = t.read + n
					t.writeFrom = ticket.Add(1)
					num.Store(t.wrote)
					t.writeTo = ticket.Add(1)
					logs[i] = append(logs[i], t)
				}
				return struct{}{}, nil
			})
		}
		for _, h := range handles {
			if _, err := h.Wait(context.WithoutCancel(ctx)); err != nil {
				return c, false
			}
		}
		c.TurnsSeen += 2 * atOnce
		a, b := logs[0], logs[1]
		if prove(a, b, true, &c) || prove(b, a, true, &c) || prove(a, b, false, &c) || prove(b, a, false, &c) {
			return c, true
		}
	}
	return c, false
}

// prove looks for a turn of a that is lost: one of b read the same value
// before that turn wrote, and wrote after it. Both lists are in the order of
// their tickets. inOrder asks for a case in which a reads first.
func prove(a, b []turn, inOrder bool, c *Caught) bool {
	j := 0 // the turns of b before it have surely read before x writes
	for _, x := range a {
		for j < len(b) && b[j].readTo < x.writeFrom {
			j++
		}
		if j == 0 {
			continue
		}
		// The last of them is the only one that can still have its write to do.
		y := b[j-1]
		aFirst, bFirst := x.readTo < y.readFrom, y.readTo < x.readFrom
		if x.writeTo < y.writeFrom && x.read == y.read && (aFirst || bFirst && !inOrder) {
			c.Read, c.AWrites, c.BWrites = x.read, x.wrote, y.wrote
			c.ShouldBe = y.wrote + (x.wrote - x.read)
			c.AReadAt, c.BReadAt, c.AWroteAt, c.BWroteAt = x.readTo, y.readTo, x.writeTo, y.writeTo
			return true
		}
	}
	return false
}
