package ring

import (
	"fmt"
	"runtime"
	"strings"
)

// Dump tells where everything stands, for a test that hangs.
func (p *Parent) Dump() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mode %d waiters %d parked %d bell %d asleep %v kicked %v\n", p.mode.Load(), p.waiters.Load(), p.parked.Load(), p.bell.word.Load(), p.bell.asleep.Load(), p.bell.kicked.Load())
	for i, o := range p.lanes {
		fmt.Fprintf(&b, "lane %d: head %d tail %d sleeping %d\n", i, o.head, o.tail, o.sleeping.Load())
		for j := range o.entries {
			at, f := noted(o.entries[j].state.Load())
			if w := word(o.slots[j].word.Load()); f != idle {
				fmt.Fprintf(&b, "\t%d phase %d; word position %d state %d\n", at, f, w.position(), w.state())
			}
		}
	}
	return b.String()
}

// AwaitAsleep returns when somebody sleeps by the bell.
func (p *Parent) AwaitAsleep() {
	for !p.bell.asleep.Load() {
		runtime.Gosched()
	}
}

// WordAt is where the word of a call lies in the segment.
func (p *Parent) WordAt(lane int, s Slot) int {
	at := plan{len(p.lanes), len(p.lanes[0].slots)}
	return at.slotAt(lane, int(s.at)&(at.slots-1))
}

// BellAt is where the bell lies in the segment.
func (p *Parent) BellAt() int { return bellAt }
