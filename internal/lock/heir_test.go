//go:build linux

package lock_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/sys"
)

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

// waiter takes l and notes it.
func waiter(l *lock.Lock) (got *atomic.Bool, done chan error) {
	got, done = new(atomic.Bool), make(chan error, 1)
	go func() {
		err := l.Lock(background)
		got.Store(true)
		if err == nil {
			err = l.Unlock()
		}
		done <- err
	}()
	return got, done
}

// TestHeir: nobody overtakes one who has waited for long.
func TestHeir(t *testing.T) {
	l := newLock(t)
	for range 20 {
		l.Lock(background)
		got, done := waiter(l)
		until(t, "the waiter claims the lock", func() bool { return l.Heir() != 0 })
		l.Unlock()
		for !got.Load() {
			if l.TryLock() {
				if !got.Load() {
					t.Error("TryLock took a lock that was kept for another")
				}
				l.Unlock()
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if l.Heir() != 0 {
			t.Error("who has had the lock still claims it")
		}
	}
}

// TestHeirGivesUp: a lock is kept for nobody whose context has ended, whatever
// happened first.
func TestHeirGivesUp(t *testing.T) {
	l := newLock(t)
	for range 100 {
		l.Lock(background)
		ctx, cancel := context.WithCancel(background)
		done := make(chan error, 1)
		go func() { done <- l.Lock(ctx) }()
		until(t, "the waiter claims the lock", func() bool { return l.Heir() != 0 })
		go cancel()
		for range rand.IntN(3000) {
			sys.Pause()
		}
		l.Unlock()
		if err := <-done; err == nil {
			l.Unlock()
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if l.Heir() != 0 || !l.TryLock() {
			t.Fatalf("the lock is kept for %d, who has given up", l.Heir())
		}
		l.Unlock()
	}
}

// TestHeirDies: who was to be the next and died, or does not come, is in nobody's way.
func TestHeirDies(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	dead := cmd.Process.Pid
	if sys.ThreadLives(dead) {
		t.Fatal("a process that ended lives")
	}
	if !sys.ThreadLives(sys.Gettid()) {
		t.Error("this thread does not live")
	}
	for name, tid := range map[string]int{"dead": dead, "absent": os.Getpid()} {
		t.Run(name, func(t *testing.T) {
			l := newLock(t)
			l.Lock(background)
			l.SetHeir(tid)
			_, done := waiter(l)
			eventuallyAsleep(t, l)
			l.Unlock()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if l.Heir() != 0 {
				t.Errorf("thread %d is still to be the next owner", l.Heir())
			}
		})
	}
}
