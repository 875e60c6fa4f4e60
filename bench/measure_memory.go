//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// memory: what a worker that has nothing to do takes, and how soon a number of
// them serves. Everything that was started for them is divided among them. It is
// read once: there is nothing random in it. The largest crowd that everybody has
// is also watched for a while: who waits should take no processor time.
func memory(l *lab) {
	es := l.enter(l.able(drive.Crowd), 0)
	defer l.leave(es)
	most := slices.Max(l.Crowds)
	for _, n := range append(slices.Clone(l.Crowds), 1000) {
		name := plural(n, "worker")
		for _, e := range es {
			if e.out || n > most && !(e.large && most >= 100) {
				continue
			}
			if err := l.crowd(e, n, name); err != nil {
				l.fail(e, name, err)
			}
		}
	}
}

func (l *lab) crowd(e *entrant, n int, name string) error {
	before := descendants(e.PID())
	r, err := e.Do(drive.Order{Do: drive.Crowd, N: n})
	if err != nil {
		return err
	}
	crowd := slices.DeleteFunc(descendants(e.PID()), func(pid int) bool { return slices.Contains(before, pid) })
	total, err := proportional(crowd)
	if err == nil && len(crowd) < n {
		err = fmt.Errorf("%d processes for %d workers", len(crowd), n)
	}
	if err == nil && n == slices.Max(l.Crowds) {
		err = l.idle(e, name, float64(n), append(crowd, e.PID()))
	}
	if _, ended := e.Do(drive.Order{Do: drive.Disperse}); err == nil {
		err = ended
	}
	if err == nil {
		l.give(e, name, float64(n), unitBytes, figures([]float64{float64(total) / float64(n)}))
		l.give(e, name, float64(n), unitTime, figures([]float64{float64(r.Nanos)}))
	}
	return err
}

// proportional sums the proportional set sizes (PSS) of processes: pages that
// several map are divided among them.
func proportional(pids []int) (total int64, err error) {
	for _, pid := range pids {
		text := read(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		var kilobytes int64
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			if value, ok := strings.CutPrefix(s.Text(), "Pss:"); ok {
				fmt.Sscan(value, &kilobytes)
			}
		}
		if kilobytes == 0 {
			return 0, fmt.Errorf("process %d tells no PSS: it has ended, or is another user's", pid)
		}
		total += kilobytes << 10
	}
	return total, nil
}

// idle watches processes that have nothing to do: how much of one processor they
// take together, and how often in a second one of their threads goes to sleep,
// which it does as often as it woke. Only what was started for the crowd counts
// there: the last process may be this one, which does the watching.
func (l *lab) idle(e *entrant, name string, x float64, pids []int) error {
	workers := pids[:len(pids)-1]
	sleeps := naps(workers)
	used, err := processorTime(pids)
	if err != nil {
		return err
	}
	begin := time.Now()
	time.Sleep(l.Share * 30) // nothing is waited for: this is the time that is watched
	d := time.Since(begin)
	after, err := processorTime(pids)
	if err != nil {
		return err
	}
	l.give(e, name, x, unitShare, figures([]float64{100 * float64(after-used) / float64(d)}))
	l.give(e, name, x, unitRate, figures([]float64{float64(naps(workers)-sleeps) / time.Since(begin).Seconds()}))
	return nil
}

// processorTime sums what processes have used so far, by the kernel's clock of
// each, which counts nanoseconds and not ticks.
func processorTime(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		var t unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil { // clock_getcpuclockid(3)
			return 0, fmt.Errorf("the clock of process %d: %w", pid, err)
		}
		sum += time.Duration(t.Nano())
	}
	return sum, nil
}

// naps counts how often the threads of processes have gone to sleep so far.
func naps(pids []int) (sum int) {
	for _, pid := range pids {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, t := range threads {
			var n int
			fmt.Sscan(field(string(read(fmt.Sprintf("/proc/%d/task/%s/status", pid, t.Name()))), "voluntary_ctxt_switches"), &n)
			sum += n
		}
	}
	return sum
}
