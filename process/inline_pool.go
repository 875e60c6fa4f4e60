package process

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
)

// inlinePool is what a Pool is instead of its workers when tasks run in this process:
// so many at once, the others in a queue. Its hooks run once, as in one worker.
type inlinePool struct {
	state *poolState
	value atomic.Pointer[any] // of a service
	setup func() error        // once; what was wrong with it

	mu      sync.Mutex
	width   int
	busy    int
	queue   list.List // of chan error, of capacity 1
	running map[*context.CancelCauseFunc]struct{}
}

func newInlinePool(s *poolState, width int) *inlinePool {
	h := &inlinePool{state: s, width: width, running: make(map[*context.CancelCauseFunc]struct{})}
	h.setup = sync.OnceValue(func() error {
		if err := h.hook(&s.plan.setup); err != nil {
			return s.assign.brokenBy(fmt.Errorf("tandem: Setup of %s: %w", s.name, err))
		}
		s.count.started.Add(1)
		return nil
	})
	return h
}

// hook runs a hook as a worker runs it.
func (h *inlinePool) hook(k *child.Hook) error {
	ctx, cancel := detached(context.Background(), &h.value)
	defer cancel(nil)
	if failure := k.Run(ctx); failure != nil {
		return child.Root.Failure(failure)
	}
	return nil
}

// enter admits a call. The channel is closed when it is its turn, or has the reason why
// that never comes.
func (h *inlinePool) enter() (turn chan error, err error) {
	s := h.state
	if err := s.assign.admit(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	turn = make(chan error, 1)
	switch {
	case s.closedNow(): // since it was admitted: close may have emptied the queue
		s.assign.release()
		return nil, s.assign.closedError()
	case h.busy < h.width && h.queue.Len() == 0:
		h.busy++
		close(turn)
	case s.assign.limit > 0 && h.queue.Len() >= s.assign.limit:
		s.assign.release()
		return nil, fmt.Errorf("tandem: %s: %d calls wait already: %w", s.name, s.assign.limit, tandem.ErrQueueFull)
	default:
		h.queue.PushBack(turn)
	}
	return turn, nil
}

// leave ends a call that had its turn, or gives its place in the queue up.
func (h *inlinePool) leave(turn chan error) {
	h.mu.Lock()
	for e := h.queue.Front(); e != nil; e = e.Next() {
		if e.Value == turn {
			h.queue.Remove(e)
			h.mu.Unlock()
			h.state.assign.release()
			return
		}
	}
	h.busy--
	h.admitNext()
	h.mu.Unlock()
	h.state.assign.release()
}

// admitNext lets those in that have waited longest. h.mu is held.
func (h *inlinePool) admitNext() {
	for h.busy < h.width && h.queue.Len() > 0 {
		h.busy++
		close(h.queue.Remove(h.queue.Front()).(chan error))
	}
}

// resize changes the width.
func (h *inlinePool) resize(width int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.width = width
	h.admitNext()
}

// run runs a call when it is its turn.
func (h *inlinePool) run(ctx context.Context, j *tandem.Job, t *ticket) error {
	s, name, begun := h.state, j.Spec().Name, clock()
	err := context.Cause(ctx)
	if err == nil {
		select {
		case err = <-t.turn:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	wait := clock() - begun
	if err == nil {
		err = h.setup()
	}
	if err == nil {
		err = h.perform(ctx, j, t.limits)
	}
	if !errors.Is(err, errDismissed) {
		h.leave(t.turn)
	} else {
		err = s.assign.closedError()
		s.assign.release()
	}
	s.settled(name, nil, wait, clock()-begun-wait, err)
	return err
}

// errDismissed goes to those whose turn never comes.
var errDismissed = errors.New("dismissed")

// perform runs a call whose turn it is.
func (h *inlinePool) perform(ctx context.Context, j *tandem.Job, limits tandem.Limits) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h.mu.Lock()
	h.running[&cancel] = struct{}{}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.running, &cancel)
	}()
	if h.state.closedNow() { // close may have looked before the call was there
		return h.state.assign.closedError()
	}
	return execute(ctx, j, limits, &h.value)
}

func (s *poolState) closedNow() bool {
	select {
	case <-s.shut:
		return true
	default:
		return false
	}
}

// close fails what waits, asks what runs, and waits for it as long as a worker would
// have lived; then it says what still runs.
func (h *inlinePool) close() error {
	s := h.state
	h.mu.Lock()
	for h.queue.Len() > 0 {
		h.queue.Remove(h.queue.Front()).(chan error) <- errDismissed
	}
	for cancel := range h.running {
		(*cancel)(s.assign.closedError())
	}
	h.mu.Unlock()
	select {
	case <-s.assign.quiet:
	case <-time.After(s.plan.Limits.GraceTime() + exitTime):
		h.mu.Lock()
		defer h.mu.Unlock()
		return fmt.Errorf("tandem: %s: %d tasks did not stop when they were asked, and run on: with %s=inline they cannot be killed", s.name, len(h.running), placeEnv)
	}
	if s.count.started.Load() == 0 {
		return nil
	}
	s.count.ended.Add(1)
	if err := h.hook(&s.plan.exit); err != nil {
		return fmt.Errorf("tandem: Exit of %s: %w", s.name, err)
	}
	return nil
}

// most is how many calls run at once.
func (h *inlinePool) most() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.width
}

// fill adds to st what a pool of workers knows by them.
func (h *inlinePool) fill(st *Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	st.Workers = int(st.Started - st.Ended)
	st.Idle, st.Running, st.Queued = h.width-h.busy, len(h.running), h.queue.Len()
}
