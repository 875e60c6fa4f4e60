package ring

import "runtime"

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

// ProgressAt is where the progress of a chunk lies in the segment.
func (p *Parent) ProgressAt(lane int, s Slot) int { return p.WordAt(lane, s) + slotSize - 8 }

// BellAt is where the bell lies in the segment.
func (p *Parent) BellAt() int { return bellAt }
