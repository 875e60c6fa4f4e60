package event

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestStream(t *testing.T) {
	var s Stream
	if s.On() {
		t.Error("nobody listens, and the stream is on")
	}
	s.Emit(Event{Kind: CallQueued}) // goes nowhere
	var first, second []Kind
	stop := s.Subscribe(func(e Event) {
		first = append(first, e.Kind)
		if e.At.IsZero() {
			t.Error("an event without its time")
		}
	})
	stop2 := s.Subscribe(func(e Event) { second = append(second, e.Kind) })
	s.Emit(Event{Kind: CallStarted})
	stop()
	stop() // twice is once
	s.Emit(Event{Kind: CallSettled, At: time.Unix(1, 0)})
	stop2()
	s.Emit(Event{Kind: WorkerEnded})
	if fmt.Sprint(first, second) != "[call started] [call started call settled]" || s.On() {
		t.Errorf("heard %v and %v, on: %v", first, second, s.On())
	}
	if Kind(99).String() != "unknown event" {
		t.Errorf("a kind of the future is called %q", Kind(99))
	}
}

// TestStreamAtOnce: who comes and goes while others emit neither breaks nor is
// missed.
func TestStreamAtOnce(t *testing.T) {
	var s Stream
	var mu sync.Mutex
	heard := 0
	defer s.Subscribe(func(Event) { mu.Lock(); heard++; mu.Unlock() })()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 250 {
				s.Emit(Event{Kind: CallSettled})
				s.Subscribe(func(Event) {})()
			}
		})
	}
	all.Wait()
	if heard != 1000 {
		t.Errorf("a subscriber that stayed heard %d events of 1000", heard)
	}
}
