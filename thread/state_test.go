package thread

import (
	"context"
	"errors"
	"testing"

	"github.com/tandem-go/tandem"
)

// TestQueueBetweenTasks: threads that have settled their tasks and not asked for the
// next ones yet are as good as free: calls for them do not count in Queue.
func TestQueueBetweenTasks(t *testing.T) {
	s := newState(&Pool{Threads: 2, Queue: 1})
	defer s.mark.Close()
	var workers []*worker
	for range 2 {
		wk := newWorker(s, "between")
		wk.ready = true
		s.workers[wk] = struct{}{}
		workers = append(workers, wk)
	}
	submit := func() error {
		return s.submit(&work{state: s, ctx: context.Background(), done: make(chan struct{})})
	}
	for i := range 3 {
		if err := submit(); err != nil {
			t.Fatalf("call %d: %v; two threads are about to take two, and one may wait", i, err)
		}
	}
	if err := submit(); !errors.Is(err, tandem.ErrQueueFull) {
		t.Errorf("one more: %v", err)
	}
	for _, wk := range workers {
		if s.next(wk) == nil {
			t.Fatal("no work for a thread that asks")
		}
	}
	if err := submit(); !errors.Is(err, tandem.ErrQueueFull) {
		t.Errorf("one more, when both have work and one waits: %v", err)
	}
}
