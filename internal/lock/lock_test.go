//go:build linux

package lock_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

var background = context.Background()

func newSegment(t testing.TB) *mem.Segment {
	t.Helper()
	s, err := mem.Create(mem.KindMutex, 0, lock.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Init(s, mem.HeaderSize); err != nil {
		t.Fatal(err)
	}
	return s
}

func newLock(t testing.TB) *lock.Lock {
	t.Helper()
	s := newSegment(t)
	t.Cleanup(func() { s.Release() })
	l, err := lock.Open(s, mem.HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLockUnlock(t *testing.T) {
	l := newLock(t)
	if err := l.Unlock(); err != lock.ErrNotHeld {
		t.Errorf("Unlock of a free lock: %v", err)
	}
	if err := l.Lock(nil); err != nil {
		t.Errorf("an uncontended Lock looked at its context: %v", err)
	}
	if l.TryLock() {
		t.Error("TryLock took a held lock")
	}
	if err := l.Lock(nil); err == nil {
		t.Error("a contended Lock without a context did not fail")
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	if !l.TryLock() {
		t.Error("TryLock of a free lock failed")
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestExclusion(t *testing.T) {
	l := newLock(t)
	n, inside := 0, atomic.Int32{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if err := l.Lock(background); err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two inside")
				}
				n++
				inside.Add(-1)
				if err := l.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n != 16000 {
		t.Errorf("counted %d, want 16000", n)
	}
}

// TestCancel: the end of a context ends the waiting of the front and of those
// behind it, and no wake is lost by it.
func TestCancel(t *testing.T) {
	for i := range 50 {
		l := newLock(t)
		l.Lock(background)
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(background)
		var cancelled, others sync.WaitGroup
		for range 3 {
			cancelled.Go(func() {
				if err := l.Lock(ctx); err != cause {
					t.Errorf("cancelled Lock: %v", err)
				}
			})
			others.Go(func() {
				if err := l.Lock(background); err != nil {
					t.Error(err)
				}
				l.Unlock()
			})
		}
		if i%2 == 0 {
			eventuallyAsleep(t, l)
		}
		cancel(cause)
		cancelled.Wait() // while the lock is held: nothing else can have ended their waiting
		l.Unlock()
		others.Wait()
	}
}

// eventuallyAsleep returns when somebody sleeps on l, or has announced to.
func eventuallyAsleep(t *testing.T, l *lock.Lock) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); l.State()>>31 == 0; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits after 10 s")
		}
	}
}

// TestThreads: many waiters block few threads.
func TestThreads(t *testing.T) {
	l := newLock(t)
	l.Lock(background)
	before := threads(t)
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			l.Lock(background)
			l.Unlock()
		})
	}
	eventuallyAsleep(t, l)
	if grown := threads(t) - before; grown > 10 {
		t.Errorf("500 waiting goroutines brought %d threads", grown)
	}
	l.Unlock()
	wg.Wait()
}

func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestRepair plays the dead owner by the state of the word.
func TestRepair(t *testing.T) {
	l := newLock(t)
	never := func(*lock.OwnerDied) error { t.Error("the repair of a whole lock ran"); return nil }
	if err := l.Repair(background, never); err != nil {
		t.Errorf("Repair of a whole lock: %v", err)
	}
	l.Die()
	var died *lock.OwnerDied
	if err := l.Lock(background); !errors.As(err, &died) || died.PID != os.Getpid() {
		t.Fatalf("Lock after a death: %v", err)
	}
	if l.TryLock() {
		t.Fatal("TryLock took what a dead owner left")
	}
	var repairs atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := l.Repair(background, func(*lock.OwnerDied) error {
				repairs.Add(1)
				if l.TryLock() {
					t.Error("the lock could be taken during the repair")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if repairs.Load() != 1 {
		t.Errorf("%d repairs of one death", repairs.Load())
	}
	if err := l.Lock(background); err != nil {
		t.Errorf("Lock after the repair: %v", err)
	}
	l.Unlock()
}

// TestRepairWaits: nothing is repaired while something of the dead process may still run.
// A repair that is called off then leaves all as it was.
func TestRepairWaits(t *testing.T) {
	l := newLock(t)
	dying := exec.Command("cat")
	if _, err := dying.StdinPipe(); err != nil { // or it ends at once
		t.Fatal(err)
	}
	if err := dying.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { dying.Process.Kill(); dying.Wait() })
	t.Cleanup(end)
	pid := dying.Process.Pid
	start, err := sys.ProcessStart(pid)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(background)
	cancel()
	repairs := 0
	repair := func(*lock.OwnerDied) error { repairs++; return nil }

	w := l.DieAs(pid, start)
	if _, gone := lock.Gone(w); gone {
		t.Error("it is gone before its end")
	}
	if err := l.Repair(ended, repair); err != context.Canceled || repairs != 0 {
		t.Errorf("Repair that was called off: %v, %d repairs", err, repairs)
	}
	var died *lock.OwnerDied
	if err := l.Lock(background); !errors.As(err, &died) || died.PID != pid {
		t.Errorf("Lock after that: %v", err)
	}
	end()
	if of, gone := lock.Gone(w); of != pid || !gone {
		t.Errorf("process %d is gone: %v", of, gone)
	}
	if err := l.Repair(ended, repair); err != nil || repairs != 1 {
		t.Errorf("Repair after the end: %v, %d repairs", err, repairs)
	}
	own, err := sys.ProcessStart(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	l.DieAs(os.Getpid(), own+1)
	if err := l.Repair(ended, repair); err != nil || repairs != 2 {
		t.Errorf("Repair after the end of another of the same id: %v, %d repairs", err, repairs)
	}
}

func TestRepairFails(t *testing.T) {
	sentinel := errors.New("sentinel")
	for name, f := range map[string]func(*lock.OwnerDied) error{
		"error": func(*lock.OwnerDied) error { return sentinel },
		"panic": func(*lock.OwnerDied) error { panic(sentinel) },
	} {
		l := newLock(t)
		l.Die()
		func() {
			defer func() { recover() }()
			if err := l.Repair(background, f); !errors.Is(err, lock.ErrNotRecoverable) || !errors.Is(err, sentinel) {
				t.Errorf("%s: %v", name, err)
			}
		}()
		if err := l.Lock(background); err != lock.ErrNotRecoverable {
			t.Errorf("%s: Lock afterwards: %v", name, err)
		}
		if err := l.Repair(background, func(*lock.OwnerDied) error { return nil }); err != lock.ErrNotRecoverable {
			t.Errorf("%s: Repair afterwards: %v", name, err)
		}
	}
}

// TestDeathWakesAll: everyone who waits learns of a death, whether or not
// somebody repairs.
func TestDeathWakesAll(t *testing.T) {
	l := newLock(t)
	l.Lock(background)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			var died *lock.OwnerDied
			if err := l.Lock(background); !errors.As(err, &died) {
				t.Errorf("a waiter got %v", err)
			}
		})
	}
	eventuallyAsleep(t, l)
	l.Die()
	wg.Wait()
}

// TestClose: whoever waits is told; whoever comes later too; nothing faults, and
// other processes learn that the owner has gone.
func TestClose(t *testing.T) {
	s := newSegment(t)
	l, err := lock.Open(s, mem.HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", s.File().Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.Lock(background)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := l.Lock(background); err != lock.ErrClosed {
				t.Errorf("waiting at close: %v", err)
			}
		})
	}
	until(t, "one claims it", func() bool { return l.Heir() != 0 })
	if err := s.Release(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := l.Lock(background); err != lock.ErrClosed {
		t.Errorf("Lock after close: %v", err)
	}
	if err := l.Unlock(); err != lock.ErrClosed {
		t.Errorf("Unlock after close: %v", err)
	}
	again, err := mem.Open(file, mem.KindMutex, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Release()
	other, err := lock.Open(again, mem.HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	var died *lock.OwnerDied
	if heir := other.Heir(); heir != 0 {
		t.Errorf("%d, who closed it, is to be the next owner", heir)
	}
	if err := other.Lock(background); !errors.As(err, &died) || died.PID != os.Getpid() {
		t.Errorf("the lock of a holder that closed it: %v", err)
	}
	if err := other.Repair(background, func(*lock.OwnerDied) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestKeepers: locks share a keeper up to what the kernel follows; keepers end
// with their last lock.
func TestKeepers(t *testing.T) {
	const n = 2100
	page := os.Getpagesize()
	perSegment := (page - mem.HeaderSize) / lock.Size
	var segments []*mem.Segment
	for made := 0; made < n; {
		s, err := mem.Create(mem.KindMutex, 0, page-mem.HeaderSize)
		if err != nil {
			t.Fatal(err)
		}
		segments = append(segments, s)
		for i := 0; i < perSegment && made < n; i++ {
			off := mem.HeaderSize + i*lock.Size
			if err := lock.Init(s, off); err != nil {
				t.Fatal(err)
			}
			l, err := lock.Open(s, off)
			if err != nil {
				t.Fatal(err)
			}
			if !l.TryLock() || l.Unlock() != nil {
				t.Fatal("a new lock could not be taken and given back")
			}
			made++
		}
	}
	if k := countKeepers(t); k != 2 {
		t.Errorf("%d keepers for %d locks", k, n)
	}
	for _, s := range segments {
		s.Release()
	}
	for deadline := time.Now().Add(10 * time.Second); countKeepers(t) != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d keepers without locks", countKeepers(t))
		}
	}
}

func countKeepers(t *testing.T) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if b, err := os.ReadFile("/proc/self/task/" + e.Name() + "/comm"); err == nil && strings.TrimSpace(string(b)) == "tandem-keeper" {
			n++
		}
	}
	return n
}

// TestOtherNamespace: a lock of another PID namespace cannot be opened.
func TestOtherNamespace(t *testing.T) {
	s := newSegment(t)
	defer s.Release()
	*s.Long(mem.HeaderSize + 16) ^= 1
	if _, err := lock.Open(s, mem.HeaderSize); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Open = %v, want errors.ErrUnsupported", err)
	}
	if _, err := sys.PIDNamespace(); err != nil {
		t.Error(err)
	}
}

func BenchmarkUncontended(b *testing.B) {
	b.Run("lock", func(b *testing.B) {
		l := newLock(b)
		b.ReportAllocs()
		for b.Loop() {
			l.Lock(background)
			l.Unlock()
		}
	})
	b.Run("sync.Mutex", func(b *testing.B) {
		var mu sync.Mutex
		for b.Loop() {
			mu.Lock()
			mu.Unlock()
		}
	})
}
