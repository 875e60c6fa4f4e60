//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ledger is one round's file of starts, and the round's outcomes. Its numbers are its
// own, so that no answer fits a task of another round.
type ledger struct {
	load     *load
	path     string
	first    int
	outcomes []error
}

// rounds were begun in this process.
var rounds atomic.Int64

// ofRound is more than the tasks of a round, and a multiple of four.
const ofRound = 1000

// firstNumber begins a round.
func firstNumber() int { return int(rounds.Add(1)) * ofRound }

func newLedger(l *load, tasks int) *ledger {
	f, err := os.CreateTemp(l.folder, "ledger")
	if err != nil {
		l.judge.violated("ledger: %v", err)
		return &ledger{load: l, outcomes: make([]error, tasks)}
	}
	f.Close()
	return &ledger{l, f.Name(), firstNumber(), make([]error, tasks)}
}

// task is the argument of the round's task n.
func (g *ledger) task(n int) numbered { return numbered{g.first + n, g.path} }

// begin is called by tasks: it notes that the task has started, and fails if it runs
// somewhere else at this moment. The system tells: it gives the lock on a byte back when
// the process that held it is gone. end is the task's end.
func (in numbered) begin() (end func() error, err error) {
	f, err := os.OpenFile(in.Ledger, os.O_APPEND|os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	own := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(in.Number), Len: 1}
	if err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &own); err != nil {
		err = fmt.Errorf("task %d runs twice at once: %w", in.Number, err)
	} else {
		_, err = fmt.Fprintf(f, "%d\n", in.Number) // one write of a short line is not torn
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f.Close, nil
}

// judge holds the noted starts against the outcomes, and removes the file.
func (g *ledger) judge(idempotent func(number int) bool) {
	b, err := os.ReadFile(g.path)
	if err != nil {
		g.load.judge.violated("ledger: %v", err)
		return
	}
	os.Remove(g.path)
	started := make([]int, len(g.outcomes))
	for line := range strings.Lines(string(b)) {
		var n int
		if _, err := fmt.Sscanf(line, "%d\n", &n); err != nil || n < g.first || n >= g.first+len(started) {
			g.load.judge.violated("the ledger has the line %q", line)
			return
		}
		started[n-g.first]++
	}
	for n, err := range g.outcomes {
		least, most := 0, 1
		if err == nil {
			least = 1
		}
		if idempotent(n) {
			most = 3 // what it is tried before its deaths are put down to it
		}
		if started[n] < least || started[n] > most {
			g.load.judge.violated("task %d on %s (%v) started %d times, want %d to %d", n, g.load.pool.Name, err, started[n], least, most)
		}
	}
}
