package process

import (
	"errors"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// TestInlineClosing: a call that is admitted just before Close, and comes to the queue
// when that has been emptied, does not wait there behind a task that does not listen.
func TestInlineClosing(t *testing.T) {
	y := newYard(t, 1, 1, 0)
	s := &poolState{name: "it", plan: &plan{}, assign: y.assignment, shut: make(chan struct{})}
	h := newInlinePool(s, 1)
	deaf, err := h.enter()
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	late := make(chan error)
	go func() {
		_, err := h.enter()
		late <- err
	}()
	for end := time.Now().Add(time.Minute); y.pending() < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the call is not admitted")
		}
	}
	close(s.shut) // as Close does, and finds an empty queue
	y.close()
	h.mu.Unlock()
	if err := <-late; !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("the call that came late: %v, want ErrClosed", err)
	}
	h.leave(deaf)
	if n := y.pending(); n != 0 {
		t.Errorf("%d calls are accepted and not over", n)
	}
}
