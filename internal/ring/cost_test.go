//go:build linux

package ring_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/ring"
)

func init() {
	helpers["patient"] = func(files []*os.File) {
		serve(files[:3], func(in *ring.Inbox, r ring.Request) {
			if string(r.Bytes) == "wait" {
				files[3].Read(make([]byte, 1)) // until the parent closes its end
			}
			in.Done(nil)
		})
	}
}

// cpuTime is the processor time of all threads of a process so far.
func cpuTime(t testing.TB, pid int) (sum time.Duration) {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, task.Name()))
		if err != nil {
			continue // it has ended
		}
		var ns int64
		fmt.Sscan(string(b), &ns)
		sum += time.Duration(ns)
	}
	return sum
}

// TestIdle: neither side uses the processor while it waits: with no call at all,
// with one caller, and with several.
func TestIdle(t *testing.T) {
	for _, callers := range []int{0, 1, 3} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		w := start(t, "patient", ring.Config{Lanes: 1, Spinners: newSpinners(t, 2)}, -1, read)
		o := w.Lanes()[0]
		o.Wait(publish(t, o, "warm"), nil, nil)
		var waits sync.WaitGroup
		for range callers {
			s := publish(t, o, "wait")
			waits.Go(func() { o.Wait(s, nil, nil) })
		}
		if callers > 0 {
			w.AwaitAsleep() // the worker is in the call
		} else {
			o.AwaitAsleep()
		}
		settles(t, callers, os.Getpid(), w.cmd.Process.Pid)
		write.Close()
		waits.Wait()
		read.Close()
		w.stop(t)
	}
}

// settles fails if there is no interval, of many, in which the two processes
// leave the processor alone. One interval does not tell: a collection may end in
// it, and what the host of a virtual machine takes counts as used. Who looks
// around is seen in each of them.
func settles(t *testing.T, callers, parent, worker int) {
	t.Helper()
	const long, most = 200 * time.Millisecond, 20
	var mine, theirs time.Duration
	for range most {
		mine, theirs = -cpuTime(t, parent), -cpuTime(t, worker)
		time.Sleep(long) // nothing is waited for: this is the time that is watched
		mine, theirs = mine+cpuTime(t, parent), theirs+cpuTime(t, worker)
		if mine <= long/20 && theirs <= long/20 {
			return
		}
	}
	t.Errorf("%d callers: in each of %d intervals somebody looked around; the last %v cost the parent %v and the worker %v of processor time",
		callers, most, long, mine, theirs)
}

// TestAllocations: a call allocates nothing.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		return // the detector's own allocations count too
	}
	w := start(t, "echo", ring.Config{Lanes: 1, Slots: 4, Spinners: newSpinners(t, 2)}, -1)
	defer w.stop(t)
	p := newPool(w)
	request, dst := []byte("request"), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(1000, func() { p.call(request, dst) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
