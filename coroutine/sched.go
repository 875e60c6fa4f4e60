package coroutine

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A sched is one Run of a Loop. What has no lock belongs to whoever is inside:
// the loop's goroutine between turns, the coroutine during its turn.
//
// The other goroutines of a run only post notes: an end of a wait, a cancel,
// the alarm of the clock. So everything that happens, happens between turns,
// in the order in which the notes came.
type sched struct {
	loop    *Loop
	ctx     context.Context // Run's
	main    *task
	current atomic.Pointer[task] // whose turn it is; nil between turns
	twin    turnstile

	ready   queue     // those who can go on, first come first served
	live    int       // how many have not ended
	started int       // for default names
	timers  timerHeap // those who sleep
	sleeps  uint64    // how many sleeps there have been
	alarm   *time.Timer
	outside int   // waits that something outside of the loop will end
	ending  error // why new coroutines are cancelled at once; set when main ends
	asleep  *AsleepError

	idle    atomic.Bool   // the loop's goroutine waits for kick
	kick    chan struct{} // holds a token when there may be mail
	hasMail atomic.Bool
	mu      sync.Mutex // guards what follows
	mail    []note
	failed  map[*task]bool // whose error nobody has asked for yet
	strays  []error        // panics of abandoned blocking calls

	helpers sync.WaitGroup // goroutines that work for a wait
	watch   *watchdog
}

// A note is what another goroutine has to tell the loop. The zero note only
// makes it look at the clock.
type note struct {
	t   *task
	gen uint64 // the wait that is over; 0: look whether t's context has ended
}

func newSched(l *Loop, ctx context.Context) *sched {
	return &sched{loop: l, ctx: ctx, kick: make(chan struct{}, 1), failed: map[*task]bool{}}
}

// post may be called from any goroutine, also after Run has returned.
func (s *sched) post(n note) {
	s.mu.Lock()
	s.mail = append(s.mail, n)
	s.hasMail.Store(true)
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// tell is post for the goroutines that work for the loop. On a single processor
// they and the loop could hand it to each other for ever: whoever wakes the
// other, or is made by it, runs next, and the locked thread makes every switch
// look like a new time slice, so that nobody is preempted. So they queue up
// behind everyone else first.
func (s *sched) tell(n note) {
	runtime.Gosched()
	s.post(n)
}

// turns is the loop: it returns when no coroutine is left.
func (s *sched) turns() {
	for s.live > 0 {
		if s.hasMail.Load() {
			s.readMail()
		}
		if t := s.ready.pop(); t != nil {
			s.turn(t)
		} else {
			s.rest()
		}
	}
	if s.alarm != nil {
		s.alarm.Stop()
	}
}

// turn lets t run until it gives the turn away or ends.
func (s *sched) turn(t *task) {
	s.loop.turns.Add(1)
	s.current.Store(t)
	suspended := t.resume()
	s.current.Store(nil)
	if !suspended {
		s.finish(t)
	} else if t.parked && t.wait.helper != nil {
		s.helpers.Go(t.wait.helper) // now that it is not t's turn
	}
}

// readMail acts on the notes, and on the clock if it has something to say.
func (s *sched) readMail() {
	s.mu.Lock()
	mail := s.mail
	s.mail = nil
	s.hasMail.Store(false)
	s.mu.Unlock()
	for _, n := range mail {
		switch {
		case n.t == nil:
			s.wakeSleepers()
		case n.gen == 0:
			n.t.interrupt()
		case n.t.parked && n.t.gen == n.gen:
			n.t.wake()
		}
	}
}

// rest is called when nobody can go on. It blocks until there is mail, unless
// it finds that nothing will ever come.
func (s *sched) rest() {
	if s.wakeSleepers(); !s.ready.empty() {
		return
	}
	if s.outside == 0 && len(s.timers) == 0 && s.breakSleep() {
		return
	}
	s.idle.Store(true)
	<-s.kick
	s.idle.Store(false)
	s.watch.awake()
}

// finish settles t, whose body has ended, and releases what it held.
func (s *sched) finish(t *task) {
	s.live--
	s.loop.live.Add(-1)
	t.body, t.next, t.stop, t.yield = nil, nil, nil, nil // a Task kept for its outcome keeps only that
	if t.unheed != nil {
		t.unheed()
	}
	s.remember(t)
	close(t.done)
	for _, w := range t.waiters {
		w.wake()
	}
	t.waiters = nil
	if t.onEnd != nil {
		t.onEnd(t.err)
	}
	if t == s.main {
		s.end(errMainReturned)
	}
	t.release()
}

// end cancels all that is left.
func (s *sched) end(cause error) {
	s.ending = cause
	s.main.each(func(t *task) {
		t.cancel(cause)
		t.rouse()
	})
}
