package spawn

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

func init() { runtime.LockOSThread() } // so that TestMain runs on the main thread

// onMain is the thread that was taken when the main thread asked for one.
var onMain int

func TestMain(m *testing.M) {
	Begin()
	done := make(chan struct{})
	ready := make(chan struct{}, 1)
	if sys.Gettid() == sys.MainTid() {
		runtime.LockOSThread() // confined undoes one
		confined(ready, done, func() (func(), bool) { onMain = sys.Gettid(); return nil, true })
		<-ready
		close(done)
	}
	runtime.UnlockOSThread()
	os.Exit(m.Run())
}

// TestConfinedNotMain: the main thread cannot end, and is not confined.
func TestConfinedNotMain(t *testing.T) {
	if onMain == 0 || onMain == sys.MainTid() {
		t.Errorf("thread %d was taken, the main thread is %d", onMain, sys.MainTid())
	}
}

// TestConfinedThread: it is one for each call, lives until the process is done, and
// is gone then.
func TestConfinedThread(t *testing.T) {
	var threads []int
	var ends []chan struct{}
	undone := make(chan int, 8)
	for i := range 8 {
		done := make(chan struct{})
		onConfined(done, func() (func(), bool) {
			threads = append(threads, sys.Gettid())
			return func() { undone <- i }, true
		})
		ends = append(ends, done)
	}
	if kinds := slices.Compact(slices.Sorted(slices.Values(threads))); len(kinds) != 8 {
		t.Errorf("threads %v, want eight", threads)
	}
	for i, tid := range threads {
		if !sys.ThreadAlive(tid) {
			t.Errorf("thread %d is gone already", tid)
		}
		close(ends[i])
		if got := <-undone; got != i {
			t.Errorf("undo of %d instead of %d", got, i)
		}
		gone(t, tid)
	}
}

// TestConfineFails: nothing is started, and nothing is kept.
func TestConfineFails(t *testing.T) {
	wrong, tid := errors.New("wrong"), 0
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	c := Command{Stdio: [3]*os.File{null, null, null}, Worker: null}
	c.Confine = func(*syscall.SysProcAttr) (func(), error) { tid = sys.Gettid(); return nil, wrong }
	if p, err := Start(c); p != nil || err != wrong {
		t.Errorf("%v, %v, want the error alone", p, err)
	}
	gone(t, tid)
}

// gone waits until a thread of this process is no more.
func gone(t *testing.T, tid int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat("/proc/self/task/" + strconv.Itoa(tid)); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("thread %d is still there", tid)
		}
	}
}
