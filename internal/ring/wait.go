package ring

import "runtime"

// Watcher hears when a call takes long.
type Watcher interface {
	// Sleep is called by the goroutine in Wait itself, at most once in each Wait and
	// before it sleeps: an answer that comes while it looks, or lets others run for a
	// turn or two, costs no watching. It holds no lock of the ring, and may take
	// calls back and fail the worker.
	Sleep()
}

// Wait returns the outcome of a published call and gives the slot back; it blocks
// until there is one. The answer is appended to dst, which is private memory;
// aside says that it, or more of it, comes another way. w may be nil. The errors
// are ErrTaken, ErrUnstarted, ErrGone, and one that wraps wire.ErrProtocol, after
// which the worker must be killed and Fail be called. A context does not end it:
// who wants the call to end takes it back, or kills the worker and calls Fail.
func (o *Outbox) Wait(s Slot, dst []byte, w Watcher) (answer []byte, aside bool, err error) {
	answer, _, aside, err = o.WaitItems(s, dst, w)
	return answer, aside, err
}

// WaitItems is Wait for a chunk. begun is how many items the worker has begun: it
// never begins the others, and what became of those is in answer, with ErrGone as
// far as Peek would tell. Of a worker that broke a rule every item counts as begun
// that Trim has not taken back.
func (o *Outbox) WaitItems(s Slot, dst []byte, w Watcher) (answer []byte, begun int, aside bool, err error) {
	return o.wait(s, s, dst, w, true)
}

// Doze is WaitItems for who has time: it does not look awake, and sleeps on until the
// call last, which was reserved later on the same lane or is the same, is over too.
// Stir wakes it before that.
func (o *Outbox) Doze(s, last Slot, dst []byte, w Watcher) (answer []byte, begun int, aside bool, err error) {
	return o.wait(s, last, dst, w, false)
}

// Stir makes who sleeps for a call look whether it is over.
func (o *Outbox) Stir() { o.parent.bell.kick() }

func (o *Outbox) wait(s, last Slot, dst []byte, w Watcher, look bool) (answer []byte, begun int, aside bool, err error) {
	p := o.parent
	if !o.over(s) {
		if many := p.waiters.Add(1) > 1; many && !o.giveWay(s) || !many && !o.lead(s, last, &w, look) {
			o.park(s, &w)
		}
		p.waiters.Add(-1)
	}
	answer, begun, aside, err = o.settle(s, dst)
	o.free(s)
	runtime.KeepAlive(p.segment)
	return answer, begun, aside, err
}

// Glance is Wait for an answer that comes while the caller looks awake. If none does,
// or more of it comes another way, or the worker is gone, or a rule was broken, ok is
// false and the call is to be given to Wait as ever. It never sleeps, whatever the
// worker does, and nobody else may wait for the call at the same time.
func (o *Outbox) Glance(s Slot, dst []byte) (answer []byte, ok bool) {
	o.spin(s)
	p, sl, e := o.parent, o.slot(s.at), o.entry(s.at)
	w := word(sl.word.Load())
	if w.state() != done || w.position() != s.at || w.length() > Inline || w.aside() || w.wide() || e.items > 0 ||
		!e.state.CompareAndSwap(note(s.at, published), note(s.at, settled)) {
		return dst, false
	}
	o.met(sl.workerCPU)
	answer = append(dst, sl.inline[:w.length()]...)
	o.free(s)
	runtime.KeepAlive(p.segment)
	return answer, true
}

// tell calls Sleep if nobody has yet. The caller looks once more before it sleeps.
func tell(w *Watcher) {
	if *w != nil {
		(*w).Sleep()
		*w = nil
	}
}

// Ready says whether Wait would return at once.
func (o *Outbox) Ready(s Slot) bool { return o.over(s) }

// over says whether there is an outcome to read, good or bad.
func (o *Outbox) over(s Slot) bool {
	return !word(o.slot(s.at).word.Load()).pending(s.at) || o.parent.mode.Load()&failed != 0
}

// lead is how the only waiter of a worker waits: it looks itself, first awake and
// then asleep. It reports false when it should park, because others wait too.
func (o *Outbox) lead(s, last Slot, w *Watcher, look bool) bool {
	p := o.parent
	near, alone := false, true
	if look {
		near, alone = o.spin(s)
	}
	if alone && !o.over(s) {
		tell(w)
	}
	for alone && !o.over(s) {
		if !p.bell.TryLock() {
			return false
		}
		how := uint32(polling)
		if near && nappers.Add(1) <= maxNappers {
			how = napping
		}
		o.until.Store(uint32(last.at))
		p.bell.arm(how)
		if alone = p.mode.Load()&reading == 0; o.over(last) || o.over(s) || !alone {
			p.bell.disarm()
		} else {
			p.bell.sleep(how)
		}
		last = s // the other may have been taken back, and then nobody rings for it
		if near {
			nappers.Add(-1)
			near = false // a nap ends by itself: who must wait longer sleeps without a timer
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

// giveWay is how one of many waits first: the others run, and by its next turn the
// answer is most often there. That is a third of the price of being woken.
func (o *Outbox) giveWay(s Slot) bool {
	for range ways {
		runtime.Gosched()
		if o.over(s) {
			return true
		}
	}
	return false
}

// ways is how often a waiter gives way. With eight two threads of this process got in
// each other's way at the runtime's queue.
const ways = 2

// park waits for a reader to wake it.
func (o *Outbox) park(s Slot, w *Watcher) {
	p, e := o.parent, o.entry(s.at)
	if !o.over(s) {
		tell(w)
	}
	if e.wake == nil {
		e.wake = make(chan struct{}, 1)
	}
	for !o.over(s) {
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
func (o *Outbox) settle(s Slot, dst []byte) (answer []byte, begun int, aside bool, err error) {
	p, e := o.parent, o.entry(s.at)
	w := word(o.slot(s.at).word.Load())
	if w.state() == taken || e.items > 0 {
		p.mu.Lock() // TakeBack writes the entry after the word; Trim and Peek need the call to stay
		defer p.mu.Unlock()
	}
	for {
		st := e.state.Load()
		if _, f := noted(st); f == retaken {
			return dst, 0, false, ErrTaken
		}
		if e.state.CompareAndSwap(st, note(s.at, settled)) {
			break
		}
	}
	answer, aside, err = o.outcome(s, w, dst)
	if e.items > 0 && err != ErrUnstarted {
		answer, begun, err = o.count(s, answer, err)
	}
	return answer, begun, aside, err
}

// outcome is what the word says of a call that this waiter has settled.
func (o *Outbox) outcome(s Slot, w word, dst []byte) (answer []byte, aside bool, err error) {
	p, sl := o.parent, o.slot(s.at)
	if w.position() == s.at && w.length() <= Inline {
		switch w.state() {
		case done:
			o.met(sl.workerCPU)
			if w.wide() && o.entry(s.at).items > 0 {
				break // a chunk has no room
			}
			if answer, ok := o.answerIn(sl, w, dst); ok {
				return answer, w.aside(), nil
			}
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

// count adds to the outcome of a chunk how many of its items were begun.
func (o *Outbox) count(s Slot, answer []byte, outcome error) ([]byte, int, error) {
	all := o.entry(s.at).limit
	switch {
	case o.parent.broken.Load():
		return answer, all, outcome
	case outcome == nil:
		g, err := o.progress(s)
		if err != nil {
			return answer, all, err
		}
		return answer, g.begun(), nil
	}
	// It may still be dying: not begun is what it can no longer begin.
	begun, err := o.trim(s)
	if err != nil {
		return answer, all, err
	}
	return o.glimpse(s, begun, answer), begun, ErrGone
}
