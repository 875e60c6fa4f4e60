package ring

import "runtime"

// rouse sees to it that a reader drains for those who park.
func (p *Parent) rouse() {
	if p.mode.Load()&(reading|failed) == 0 && p.mode.Or(reading)&reading == 0 {
		p.readers.Add(1)
		go p.read()
	}
}

// singles is after how many answers in a row that found one waiter the reader
// leaves: a caller alone is faster by itself.
const singles = 16

// read drains all lanes while several wait. It takes the bell from a waiter that
// sleeps by it.
func (p *Parent) read() {
	defer p.readers.Done()
	p.bell.kick()
	p.bell.Lock()
	defer p.bell.Unlock()
	sp := spin{spinners: p.spinners, patience: new(patience)}
	defer sp.end()
	single := 0
	for p.mode.Load()&failed == 0 {
		n := p.drain()
		if n > 1 || p.waiters.Load() > 1 {
			single = 0
		} else {
			single += n
		}
		if p.parked.Load() == 0 && single >= singles {
			if p.leave() {
				return
			}
			single = 0
		}
		if n > 0 {
			sp.end()
			runtime.Gosched() // let them run: what they submit is drained next
			continue
		}
		if sp.round() {
			sp.gentle = sp.gentle || sp.checks() && p.near()
			runtime.Gosched()
			continue
		}
		sp.end()
		if p.parked.Load() == 0 {
			if p.leave() {
				return
			}
			continue
		}
		p.heed()
		p.bell.arm(polling)
		if p.drain() > 0 || p.mode.Load()&failed != 0 || p.parked.Load() == 0 {
			p.bell.disarm()
		} else {
			p.bell.sleep(polling)
		}
	}
	p.mode.And(^uint32(reading))
}

// heed makes the worker ring for every answer. (head is the reader's own.)
func (p *Parent) heed() {
	for _, o := range p.lanes {
		o.until.Store(uint32(o.head) - MaxSlots)
	}
}

// leave ends the reading, unless somebody parked in the last moment and nobody
// else has begun to read.
func (p *Parent) leave() bool {
	p.mode.And(^uint32(reading))
	return p.parked.Load() == 0 || p.mode.Or(reading)&reading != 0
}

// near says whether a worker's lane was on the CPU of the caller when it started
// what the reader waits for.
func (p *Parent) near() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.lanes {
		if o.near(Slot{o.head}) {
			return true
		}
	}
	return false
}

// drain wakes those whose calls are over and returns how many. In each lane the
// worker answers in order, so it looks at one slot for each lane and one for each
// answer.
func (p *Parent) drain() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.lanes {
		for o.next(&n) {
		}
	}
	return n
}

// next looks at the lane's head and reports whether there may be more behind it.
func (o *Outbox) next(n *int) bool {
	e := o.entry(o.head)
	at, f := noted(e.state.Load())
	switch ahead := o.head.behind(at); {
	case ahead < 0:
		return false // the call of a round ago still holds the slot
	case ahead > 0:
		// Settled while nobody read. When this slot was reserved for the last time
		// before its present position, all calls a round earlier were settled.
		o.head = o.head.plus(max(1, ahead-2*len(o.slots)+1))
		return true
	}
	switch f {
	case idle, reserved:
		return false
	case published, parked:
		w := word(o.slot(o.head).word.Load())
		if w.pending(o.head) || w.position() == o.head && w.state() == free || w.state() == unused {
			return false // or not yet written by Publish
		}
		if e.notice() {
			*n++
		}
	}
	o.head = o.head.plus(1)
	return true
}
