package sys_test

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

func TestCutName(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"short", "run", "run"},
		{"exact", "123456789012345", "123456789012345"},
		{"long", "1234567890123456", "123456789012345"},
		{"three-byte runes end on the border", "线程线程线程", "线程线程线"},
		{"a rune across the border goes", "ab线程线程线程", "ab线程线程"},
		{"four-byte rune across", "123456789012\U0001F600", "123456789012"},
		{"zero byte ends it", "ab\x00cd", "ab"},
		{"not UTF-8", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"},
		{"empty", "", ""},
	} {
		if got := sys.CutName(c.in); got != c.want {
			t.Errorf("%s: CutName(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

// onThread runs f on a thread that is then thrown away.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: names and CPU sets must not reach other goroutines
		f()
	}()
	<-done
}

func needLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
}

func TestThreadNameAndAffinity(t *testing.T) {
	needLinux(t)
	onThread(func() {
		tid := sys.Gettid()
		if !sys.ThreadAlive(tid) {
			t.Errorf("thread %d, which asks, is not alive", tid)
		}
		all, err := sys.Affinity(0)
		if err != nil || len(all) == 0 || !slices.IsSorted(all) {
			t.Fatalf("Affinity = %v, %v", all, err)
		}
		last := all[len(all)-1:]
		if err := sys.SetAffinity(0, last); err != nil {
			t.Fatal(err)
		}
		if got, err := sys.Affinity(tid); err != nil || !slices.Equal(got, last) {
			t.Errorf("after SetAffinity(%v): Affinity = %v, %v", last, got, err)
		}
		for _, bad := range [][]int{nil, {-1}, {1 << 20}} {
			if err := sys.SetAffinity(0, bad); err == nil {
				t.Errorf("SetAffinity(%v) succeeded", bad)
			}
		}
		if tid == os.Getpid() {
			return // the main thread's name is the program's: leave it
		}
		if err := sys.SetThreadName("线程线程线程"); err != nil {
			t.Fatal(err)
		}
		if got, err := sys.ThreadName(tid); err != nil || got != "线程线程线" {
			t.Errorf("ThreadName = %q, %v", got, err)
		}
	})
	if _, err := sys.ThreadName(1 << 30); err == nil {
		t.Error("a thread that does not exist has a name")
	}
	if sys.ThreadAlive(1 << 30) {
		t.Error("a thread that does not exist is alive")
	}
}

func TestThreadCounters(t *testing.T) {
	needLinux(t)
	onThread(func() {
		n0, err := sys.ThreadSwitches()
		if err != nil {
			t.Fatal(err)
		}
		c0, err := sys.ThreadCPUTime()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // a locked goroutine that sleeps gives up its thread's CPU
		for n := 0; n < 1e6; n++ {
			runtime.KeepAlive(n)
		}
		if n1, _ := sys.ThreadSwitches(); n1 <= n0 {
			t.Errorf("switches %d, then %d after a sleep", n0, n1)
		}
		if c1, _ := sys.ThreadCPUTime(); c1 <= c0 {
			t.Errorf("CPU time %v, then %v after a loop", c0, c1)
		}
	})
}
