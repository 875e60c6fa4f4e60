package process

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
)

// team is what a Supervisor is made of once it was started: one goroutine decides. The
// keeper of each service tells it the end of a process, and waits for its word before
// it starts the next.
type team struct {
	of     *Supervisor
	pools  []*Pool
	rule   *supervision
	ends   chan *ended
	stop   chan struct{} // closed by Close
	once   sync.Once
	over   chan struct{} // closed when all have ended
	result error         // of Close

	// The goroutine's own.
	held    []*ended // by service: its process has ended, and its keeper waits
	pending []*ended // ends that came while another was dealt with; those not held any more are
}

// ended is the end of one process. Its keeper waits for the word.
type ended struct {
	number int
	cause  error
	well   bool
	word   chan error    // of capacity 1: nil starts the next process
	serves chan struct{} // closed when that serves
}

// admit is a keeper's question whether the next process may be started.
func (t *team) admit(e *ended, shut <-chan struct{}) error {
	e.word, e.serves = make(chan error, 1), make(chan struct{})
	select {
	case t.ends <- e:
	case <-shut:
		return errShut
	case <-t.over:
		return errShut
	}
	select {
	case err := <-e.word:
		return err
	case <-shut:
		return errShut
	}
}

// run is the goroutine. It ends with all services.
func (t *team) run() {
	var cause error
	for cause == nil {
		e := t.next()
		if e == nil {
			break
		}
		cause = t.deal(e)
	}
	t.of.mu.Lock()
	t.of.cause = cause
	t.of.mu.Unlock()
	var errs []error
	for _, service := range slices.Backward(t.of.Services) {
		errs = append(errs, service.Close())
	}
	t.result = errors.Join(errs...)
	close(t.over)
}

// next waits for an end; nil is that of the Supervisor.
func (t *team) next() *ended {
	for len(t.pending) > 0 {
		e := t.pending[0]
		if t.pending = t.pending[1:]; t.held[e.number] == e {
			return e
		}
	}
	select {
	case e := <-t.ends:
		t.held[e.number] = e
		return e
	case <-t.stop:
		return nil
	}
}

// deal does what the strategy says about an end. Its error is why the Supervisor gives up.
func (t *team) deal(e *ended) error {
	if t.dismissed(e) {
		return nil
	}
	t.rule.note(clock(), e.cause, e.well)
	pause, _, err := t.rule.next()
	if err != nil {
		e.word <- err
		return err
	}
	from, to := e.number, e.number+1
	switch t.of.Strategy {
	case OneForAll:
		from, to = 0, len(t.pools)
	case RestForOne:
		to = len(t.pools)
	}
	for i := to - 1; i >= from; i-- {
		if t.held[i] == nil && !t.expel(i) {
			return nil
		}
	}
	if pause > 0 {
		late := time.NewTimer(pause)
		defer late.Stop()
		select {
		case <-late.C:
		case <-t.stop:
			return nil
		}
	}
	for i := from; i < to; i++ {
		if h := t.held[i]; h != nil && !t.dismissed(h) && !t.resume(h) {
			return nil
		}
	}
	return nil
}

// dismissed lets a service end for good whose rule says so.
func (t *team) dismissed(e *ended) bool {
	p := t.pools[e.number]
	var err error
	switch when := p.keeper.rule.When; {
	case when == Never:
		err = fmt.Errorf("tandem: %s has ended, and Restart.When is Never: %w", p.Name, e.cause)
	case when == OnFailure && e.well && !p.keeper.expelled.Load():
		err = fmt.Errorf("tandem: %s has ended itself, and Restart.When is OnFailure: %w", p.Name, tandem.ErrClosed)
	default:
		return false
	}
	t.held[e.number] = nil
	e.word <- err
	return true
}

// expel ends the process of a service, and waits for its end. It reports false if the
// Supervisor is closed meanwhile.
func (t *team) expel(number int) bool {
	s := t.pools[number].use()
	if !s.expel() {
		return true
	}
	for t.held[number] == nil {
		select {
		case e := <-t.ends: // if not this one's, then most often that of the next to be expelled
			t.held[e.number] = e
			t.pending = append(t.pending, e)
		case <-s.shut: // somebody closed it
			return true
		case <-t.stop:
			return false
		}
	}
	return true
}

// resume starts the next process of a service and waits until it serves. It reports
// false if that is not to be: the Supervisor was closed, or a process has ended. To make
// a value may take for ever, and that end is dealt with meanwhile, with all that is held.
func (t *team) resume(h *ended) bool {
	t.held[h.number] = nil
	t.pools[h.number].keeper.expelled.Store(false)
	h.word <- nil
	for {
		select {
		case <-h.serves:
			return true
		case e := <-t.ends:
			t.held[e.number] = e
			if !t.dismissed(e) {
				t.pending = slices.Insert(t.pending, 0, e)
				return false
			}
			if e.number == h.number { // it has ended for good
				return true
			}
		case <-t.pools[h.number].use().shut:
			return true
		case <-t.stop:
			return false
		}
	}
}
