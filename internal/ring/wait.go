package ring

import "runtime"

// Wait returns the outcome of a published call and gives the slot back; it blocks
// until there is one. The answer is appended to dst, which is private memory;
// aside says that it comes another way. The errors are ErrTaken, ErrUnstarted,
// ErrGone, and one that wraps wire.ErrProtocol, after which the worker must be
// killed and Fail be called. A context does not end it: who wants the call to
// end takes it back, or kills the worker and calls Fail.
func (o *Outbox) Wait(s Slot, dst []byte, w Watcher) (answer []byte, aside bool, err error) {
	p := o.parent
	if !o.over(s) {
		watch := watch{w}
		if p.waiters.Add(1) > 1 || !o.lead(s, &watch) {
			o.park(s, &watch)
		}
		p.waiters.Add(-1)
	}
	answer, aside, err = o.settle(s, dst)
	o.free(s)
	runtime.KeepAlive(p.segment)
	return answer, aside, err
}

// Watcher is told when a wait becomes long.
type Watcher interface {
	// Sleep is called once, by the goroutine that waits, before it sleeps for the
	// first time. A call that is over sooner never pays for what Sleep does.
	Sleep()
}

type watch struct{ w Watcher }

func (w *watch) sleeps() {
	if w.w != nil {
		w.w.Sleep()
		w.w = nil
	}
}

// over says whether there is an outcome to read, good or bad.
func (o *Outbox) over(s Slot) bool {
	return !word(o.slot(s.at).word.Load()).pending(s.at) || o.parent.mode.Load()&failed != 0
}

// lead is how the only waiter of a worker waits: it looks itself, first awake and
// then asleep. It reports false when it should park, because others wait too.
func (o *Outbox) lead(s Slot, w *watch) bool {
	p := o.parent
	near, alone := o.spin(s)
	for alone && !o.over(s) {
		w.sleeps()
		if !p.bell.TryLock() {
			return false
		}
		how := uint32(polling)
		if near && nappers.Add(1) <= maxNappers {
			how = napping
		}
		p.bell.arm(how)
		if alone = p.mode.Load()&reading == 0; o.over(s) || !alone {
			p.bell.disarm()
		} else {
			p.bell.sleep(how)
		}
		if near {
			nappers.Add(-1)
		}
		p.bell.Unlock()
	}
	return alone
}

// spin looks again and again for a bounded time; see type spin. near says that the
// worker runs, or would, on the CPU of the caller; alone, that nobody else waits.
func (o *Outbox) spin(s Slot) (near, alone bool) {
	p := o.parent
	near = o.peer.Load() == int32(p.cpus.CPU())
	sp := spin{spinners: p.spinners, patience: &p.patience, gentle: near}
	defer sp.end()
	for !o.over(s) {
		if p.mode.Load()&reading != 0 {
			return near, false
		}
		if !sp.round() {
			break
		}
		if sp.checks() && o.near(s) {
			near, sp.gentle = true, true
		}
	}
	return near, true
}

// near says whether the worker has started the call on the CPU of the caller, so
// that whoever spins keeps it from running.
func (o *Outbox) near(s Slot) bool {
	sl := o.slot(s.at)
	return word(sl.word.Load()).state() == started && int32(sl.workerCPU) == int32(o.parent.cpus.CPU())
}

// park waits for a reader to wake it.
func (o *Outbox) park(s Slot, w *watch) {
	p, e := o.parent, o.entry(s.at)
	if e.wake == nil {
		e.wake = make(chan struct{}, 1)
	}
	for !o.over(s) {
		w.sleeps()
		p.rouse()
		// Counted first: a reader that wakes this one takes it off the count, and must
		// not find nobody there while another waits.
		p.parked.Add(1)
		if !e.state.CompareAndSwap(note(s.at, published), note(s.at, parked)) {
			p.parked.Add(-1)
			return // taken back, or Fail
		}
		// Whoever could have woken this one may have looked just before.
		if (o.over(s) || p.mode.Load()&reading == 0) && e.state.CompareAndSwap(note(s.at, parked), note(s.at, published)) {
			p.parked.Add(-1)
			continue
		}
		<-e.wake
		return
	}
}

// settle reads the outcome. The shared word is loaded once, what it says is
// checked, and what it leaves open is decided by the entry.
func (o *Outbox) settle(s Slot, dst []byte) ([]byte, bool, error) {
	p, e, sl := o.parent, o.entry(s.at), o.slot(s.at)
	w := word(sl.word.Load())
	if w.state() == taken {
		p.mu.Lock() // TakeBack writes here after it wrote there
		p.mu.Unlock()
	}
	for {
		st := e.state.Load()
		if _, f := noted(st); f == retaken {
			return dst, false, ErrTaken
		}
		if e.state.CompareAndSwap(st, note(s.at, settled)) {
			break
		}
	}
	if w.position() == s.at && w.length() <= Inline {
		switch w.state() {
		case done:
			o.peer.Store(int32(sl.workerCPU))
			return append(dst, sl.inline[:w.length()]...), w.aside(), nil
		case queued, started:
			if p.mode.Load()&failed == 0 {
				break
			}
			// The worker may still be dying: not started is what it can no longer start.
			if w.state() == queued && !sl.word.CompareAndSwap(uint64(w), uint64(w.in(taken))) {
				w = word(sl.word.Load())
			}
			if s := w.state(); (s == queued || s == taken) && !p.broken.Load() {
				return dst, false, ErrUnstarted
			}
			return dst, false, ErrGone
		}
	}
	return dst, false, p.violated(w, s.at)
}
