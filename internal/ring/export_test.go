package ring

import "runtime"

// AwaitAsleep returns when the worker sleeps, since there is nothing in its lane.
func (o *Outbox) AwaitAsleep() {
	for o.sleeping.Load() == awake {
		runtime.Gosched()
	}
}

// AwaitDormant returns when the worker sleeps in its poller.
func (o *Outbox) AwaitDormant() {
	for o.sleeping.Load() != dormant {
		runtime.Gosched()
	}
}

// AwaitAsleep returns when somebody sleeps by the bell.
func (p *Parent) AwaitAsleep() {
	for !p.bell.asleep.Load() {
		runtime.Gosched()
	}
}

// AwaitWaiter returns when somebody waits for an answer.
func (p *Parent) AwaitWaiter() {
	for p.waiters.Load() == 0 {
		runtime.Gosched()
	}
}

// Crowd says whether the present request was published while others waited.
func (in *Inbox) Crowd() bool { return in.crowd }

// WordAt is where the word of a call lies in the segment.
func (p *Parent) WordAt(lane int, s Slot) int {
	at := plan{len(p.lanes), len(p.lanes[0].slots)}
	return at.slotAt(lane, int(s.at)&(at.slots-1))
}

// ProgressAt is where the progress of a chunk lies in the segment.
func (p *Parent) ProgressAt(lane int, s Slot) int { return p.WordAt(lane, s) + slotSize - 8 }

// BellRung says that nobody sleeps by the bell, or the worker has rung it.
func (p *Parent) BellRung() bool { return p.bell.word.Load() == awake }

// BellAt is where the bell lies in the segment.
func (p *Parent) BellAt() int { return bellAt }

// Words lists where the shared words lie: flags, and each slot's two.
func (p *Parent) Words() (list []int) {
	list = append(list, bellAt)
	at := plan{len(p.lanes), len(p.lanes[0].slots)}
	for i := range at.lanes {
		list = append(list, at.sleepAt(i), at.untilAt(i), at.takenAt(i, firstAnswer), at.takenAt(i, firstAnswer+1))
		for j := range at.slots {
			list = append(list, at.slotAt(i, j), at.slotAt(i, j)+slotSize-8)
		}
	}
	return list
}
