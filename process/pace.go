package process

import "time"

// pace is how long calls take in the workers, by and large.
type pace struct{ mean time.Duration } // zero: not known yet

// Calls wait in a lane behind others for about as long as several wakes of a
// sleeping worker take, and not longer: there they cannot choose the worker that is
// free first.
const worthWaiting = 200 * time.Microsecond

// quick says that calls are so short that the clock is a part of their price.
func (p *pace) quick() bool { return p.mean > 0 && p.mean < worthWaiting/20 }

// laneDepth is how many calls a lane with a ring holds at most.
const laneDepth = 128

// note learns how long a call has taken whose flight over was not told.
func (a *assignment) note(took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pace.note(took)
}

func (p *pace) note(took time.Duration) {
	if p.mean == 0 {
		p.mean = took
	}
	p.mean = max(1, p.mean+(took-p.mean)/8)
}

// depth is how many calls a lane may hold for one more such to join them. A chunk
// joins one that runs, unless its items take so long that a wake is nothing.
func (p *pace) depth(as want) int {
	switch {
	case p.mean == 0: // what is in front may take for ever
		return 1
	case as.items > 0 && p.mean < 5*worthWaiting:
		return ahead(p.mean, as.items)
	}
	return int(min(max(worthWaiting/p.mean, 1), laneDepth))
}
