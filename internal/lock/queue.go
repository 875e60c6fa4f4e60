package lock

import (
	"container/list"
	"context"
	"sync"

	"github.com/tandem-go/tandem/internal/deadlock"
)

// queue lets one goroutine of this process through at a time, in the order of
// their coming (rule 6). Its zero value is ready.
type queue struct {
	mu      sync.Mutex
	busy    bool      // somebody is the front
	waiting list.List // of chan struct{}, closed when its goroutine becomes the front
}

// enter returns nil when the caller is the front, or the cause of ctx, or what w
// finds.
func (q *queue) enter(ctx context.Context, w *deadlock.Wait) (err error) {
	q.mu.Lock()
	if !q.busy {
		q.busy = true
		q.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	spot := q.waiting.PushBack(turn)
	q.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-w.Told():
		err = w.Err()
	}
	q.mu.Lock()
	select {
	case <-turn: // both at once: the turn goes on to the next
		q.pass()
	default:
		q.waiting.Remove(spot)
	}
	q.mu.Unlock()
	return err
}

// leave makes the next in the queue the front.
func (q *queue) leave() {
	q.mu.Lock()
	q.pass()
	q.mu.Unlock()
}

func (q *queue) pass() {
	if front := q.waiting.Front(); front != nil {
		close(q.waiting.Remove(front).(chan struct{}))
		return
	}
	q.busy = false
}

// Waiting is how many goroutines of this process wait.
func (l *Lock) Waiting() int {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	n := l.queue.waiting.Len()
	if l.queue.busy {
		n++
	}
	return n
}
