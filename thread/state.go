package thread

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/leak"
)

// state is a Pool in use. Everything that decides stands here, under one mutex,
// and is entered by the goroutine that calls; what a thread does is in worker.go.
//
// Rules:
//  1. Work is in the queue, or in a worker's inbox, or in a worker's hands, or
//     settled; it moves only forward. Only from the queue can it be withdrawn.
//  2. A worker is idle only while the queue is empty.
//  3. There are never more workers than threads; a worker counts from before its
//     thread starts until its thread has nothing more to do.
//  4. Once why is set, nothing is accepted; workers end when the queue is empty.
//     When the last has gone, ended is closed.
type state struct {
	owner *Pool // to find a copied Pool
	name  string
	width int
	room  int // bound of the queue, 0 = none
	cpus  []int
	mark  *leak.Mark
	setup func(context.Context) (context.Context, error)
	grace time.Duration

	mu      sync.Mutex
	queue   list.List // of *work
	idle    []*worker
	workers map[*worker]struct{}
	born    int   // workers so far, for their names
	why     error // why nothing is accepted any more
	ended   chan struct{}
}

// work is one call on its way through the pool.
type work struct {
	state *state
	ctx   context.Context
	job   *tandem.Job
	spot  *list.Element // its place in the queue, nil elsewhere
	err   error         // valid when done is closed
	done  chan struct{}
}

func (w *work) settle(err error) {
	w.err = err
	close(w.done)
}

func newState(p *Pool) *state {
	s := &state{
		owner: p, name: p.Name, width: p.Width(), room: p.Queue, cpus: slices.Clone(p.CPUs),
		setup: p.Setup, grace: p.Grace,
		workers: make(map[*worker]struct{}), ended: make(chan struct{}),
	}
	if s.name == "" {
		s.name = fmt.Sprintf("ThreadPool-%d", pools.Add(1))
	}
	s.mark = leak.Open("thread.Pool", s.name)
	leak.Watch(s, s.mark)
	return s
}

// submit gives w to an idle worker, or to a new one, or to the queue.
func (s *state) submit(w *work) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return s.why
	}
	if n := len(s.idle); n > 0 {
		wk := s.idle[n-1] // the last one to become idle has the warmest caches
		s.idle = s.idle[:n-1]
		wk.work = w
		wk.inbox <- w
		return nil
	}
	if len(s.workers) < s.width {
		s.hire()
	}
	if s.room > 0 && s.queue.Len() >= s.room+s.coming() {
		return fmt.Errorf("tandem: thread.Pool %s: %d calls wait already: %w", s.name, s.queue.Len(), tandem.ErrQueueFull)
	}
	w.spot = s.queue.PushBack(w)
	return nil
}

// coming counts the workers that set up, or have settled a task and not asked for
// the next one yet: each will take one call from the queue, so only the rest waits.
// None is idle, and the mutex is held.
func (s *state) coming() (n int) {
	for wk := range s.workers {
		if wk.work == nil {
			n++
		}
	}
	return n
}

// withdraw takes w out of the queue, if it is still there.
func (s *state) withdraw(w *work) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.spot == nil {
		return false
	}
	s.queue.Remove(w.spot)
	w.spot = nil
	return true
}

// next is the work of wk, or nil when wk shall end. It blocks while there is
// none.
func (s *state) next(wk *worker) *work {
	s.mu.Lock()
	if front := s.queue.Front(); front != nil {
		w := s.queue.Remove(front).(*work)
		w.spot = nil
		wk.work = w
		s.mu.Unlock()
		return w
	}
	if s.why != nil {
		s.mu.Unlock()
		return nil
	}
	s.idle = append(s.idle, wk)
	s.mu.Unlock()
	return <-wk.inbox
}

// hire starts one more worker. The mutex is held.
func (s *state) hire() {
	s.born++
	wk := newWorker(s, fmt.Sprintf("%s_%d", s.name, s.born))
	s.workers[wk] = struct{}{}
	wk.thread.start(wk.live)
}

// leave is a worker's last word. A worker that ended by Goexit in a task is
// replaced if there is work for another.
func (s *state) leave(wk *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.workers, wk)
	if s.queue.Len() > 0 && len(s.workers) < s.width {
		s.hire()
	}
	s.endIfDone()
}

// startAll hires up to the width and returns what to wait for.
func (s *state) startAll() (up []<-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.why == nil && len(s.workers) < s.width {
		s.hire()
	}
	for wk := range s.workers {
		up = append(up, wk.up)
	}
	return up
}

// refusal is why the pool accepts nothing, or nil.
func (s *state) refusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// refuse accepts nothing from now on, for the first reason given, and lets idle
// workers go. The mutex is held.
func (s *state) refuse(why error) {
	if s.why == nil {
		s.why = why
		s.mark.Close()
	}
	for _, wk := range s.idle {
		wk.inbox <- nil
	}
	s.idle = nil
	s.endIfDone()
}

func (s *state) endIfDone() {
	if s.why == nil || len(s.workers) > 0 {
		return
	}
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// drop settles all that waits with err. The mutex is held.
func (s *state) drop(err error) {
	for e := s.queue.Front(); e != nil; e = s.queue.Front() {
		w := s.queue.Remove(e).(*work)
		w.spot = nil
		w.settle(err)
	}
}

func (s *state) closed() error {
	return fmt.Errorf("tandem: thread.Pool %s takes no more tasks: %w", s.name, tandem.ErrClosed)
}

func (s *state) shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse(s.closed())
}

func (s *state) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse(s.closed())
	s.drop(s.closed())
	for wk := range s.workers {
		wk.stop(tandem.ErrClosed)
	}
}

// fail ends the pool with the error of a Setup.
func (s *state) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse(err)
	s.drop(err)
}

// running names what runs, for people.
func (s *state) running() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for wk := range s.workers {
		if what := wk.doing(); what != "" {
			list = append(list, what+" on "+wk.thread.name)
		}
	}
	return list
}
