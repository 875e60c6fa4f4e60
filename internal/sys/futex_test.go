//go:build linux

package sys_test

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

func TestFutex(t *testing.T) {
	var word uint32
	if err := sys.FutexWait(&word, 1, 1, -1); err != nil {
		t.Errorf("wait for another value: %v, want nil at once", err)
	}
	if err := sys.FutexWait(&word, 0, 1, time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wait with nobody to wake: %v, want os.ErrDeadlineExceeded", err)
	}
	if n, err := sys.FutexWake(&word, 1); n != 0 || err != nil {
		t.Errorf("wake with nobody asleep = %d, %v", n, err)
	}
	if err := sys.FutexWait(&word, 0, 0, -1); err == nil {
		t.Error("a wait without a mark, which nobody could wake, was accepted")
	}
}

// TestFutexWakes: each way to wake ends a wait without a timeout.
func TestFutexWakes(t *testing.T) {
	for name, wake := range map[string]func(*uint32) error{
		"wake":      func(w *uint32) error { atomic.StoreUint32(w, 0); _, err := sys.FutexWake(w, 1); return err },
		"interrupt": func(w *uint32) error { atomic.StoreUint32(w, 0); _, err := sys.FutexInterrupt(w, 4); return err },
	} {
		word := new(uint32)
		*word = 7
		woken := make(chan error, 1)
		go func() {
			var err error
			for err == nil && atomic.LoadUint32(word) == 7 {
				err = sys.FutexWait(word, 7, 4, -1)
			}
			woken <- err
		}()
		if err := wake(word); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-woken; err != nil {
			t.Errorf("%s: waiter: %v", name, err)
		}
		if *word != 0 {
			t.Errorf("%s: the word is %d", name, *word)
		}
	}
}

// TestFutexInterruptSpares: an interrupt wakes its mark and nobody else.
func TestFutexInterruptSpares(t *testing.T) {
	word := new(uint32)
	one, two := make(chan struct{}), make(chan struct{})
	wait := func(mark uint32, ended chan struct{}) {
		sys.FutexWait(word, 0, mark, -1)
		close(ended)
	}
	go wait(1, one)
	go wait(2, two)
	for asleep := true; asleep; { // until the first sleeper was there to be woken
		sys.FutexInterrupt(word, 1)
		select {
		case <-one:
			asleep = false
		case <-time.After(time.Millisecond):
		}
	}
	select {
	case <-two:
		t.Error("an interrupt of mark 1 woke mark 2")
	case <-time.After(10 * time.Millisecond):
	}
	for asleep := true; asleep; {
		sys.FutexInterrupt(word, 2)
		select {
		case <-two:
			asleep = false
		case <-time.After(time.Millisecond):
		}
	}
}
