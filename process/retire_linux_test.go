package process

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem/internal/spawn"
)

// TestGrowthReadsAgain: that the memory of a worker could not be read once does not end
// the watch over it, not even at its birth.
func TestGrowthReadsAgain(t *testing.T) {
	for name, began := range map[string]int64{"later": 0, "at its birth": unknown} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				y := newYard(t, 1, 1, 0)
				y.call()
				w, _ := y.bear()
				s := &poolState{pool: &Pool{MaxGrowth: 1}, assign: y.assignment}
				over := make(chan struct{})
				defer close(over)
				w.proc = &spawn.Proc{PID: -1} // of which nothing can be read
				go s.watchGrowth(w, began, over)
				look := func() {
					time.Sleep(lookForGrowth)
					synctest.Wait()
				}
				look()
				look()
				y.mu.Lock()
				w.proc = &spawn.Proc{PID: os.Getpid()}
				y.mu.Unlock()
				look()
				if began == unknown {
					grow(t, 64<<20)
					look()
				}
				if !w.retiring || w.recycled == "" {
					t.Errorf("retiring %v, because %q; want a worker that is replaced, since its memory has grown", w.retiring, w.recycled)
				}
			})
		})
	}
}

// grow takes memory that this process has not had, until the test ends.
func grow(t *testing.T, n int) {
	t.Helper()
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	for i := 0; i < n; i += os.Getpagesize() {
		b[i] = 1
	}
}

// TestWeighsAgain: nor does it end the watch over a call with a limit of memory.
func TestWeighsAgain(t *testing.T) {
	w := &worker{plan: &plan{}, proc: &spawn.Proc{PID: -1}}
	f := &flight{lane: &lane{worker: w}, open: true, seq: 7}
	f.memory = time.AfterFunc(time.Hour, func() {})
	f.memory.Stop()
	w.seen.Store(99)
	f.weigh(7, 1)
	if !f.memory.Stop() {
		t.Error("the call is not looked at again")
	}
	if got := w.seen.Load(); got != 99 {
		t.Errorf("its data were %d when they were last seen, want 99", got)
	}
}
