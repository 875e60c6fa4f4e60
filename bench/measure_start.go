//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// starts: a process from nothing to its first byte (of an RPC server: its first
// reply), and until it is gone.
func starts(l *lab) {
	es := l.enter(l.able(drive.Start), 0)
	defer l.leave(es)
	join := map[*entrant][]float64{}
	l.gather(es, caseFirst, 0, unitTime, func(e *entrant, warm bool) ([]float64, error) {
		r, err := l.block(e, drive.Order{Do: drive.Start}, 2)
		if !warm {
			join[e] = append(join[e], floats(r.Joins)...)
		}
		return floats(r.Samples), err
	})
	for _, e := range es {
		if !e.out && len(join[e]) > 0 {
			l.give(e, caseJoin, 0, unitTime, figures(join[e]))
		}
	}
}

// memory: what a worker that has nothing to do takes, and how soon a number of
// them serves. Everything that was started for them is divided among them. It is
// read once: there is nothing random in it.
func memory(l *lab) {
	es := l.enter(l.able(drive.Crowd), 0)
	defer l.leave(es)
	for _, n := range l.Crowds {
		name := plural(n, "worker")
		for _, e := range es {
			if e.out {
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
