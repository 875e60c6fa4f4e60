//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
)

// ledger is one round's file of starts, and the round's outcomes by number.
type ledger struct {
	load     *load
	path     string
	outcomes []error
}

func newLedger(l *load, tasks int) *ledger {
	f, err := os.CreateTemp(l.folder, "ledger")
	if err != nil {
		l.judge.violated("ledger: %v", err)
		return &ledger{load: l}
	}
	f.Close()
	return &ledger{l, f.Name(), make([]error, tasks)}
}

// note is called by tasks. One write of a short line is not torn.
func note(path string, number int) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%d\n", number)
	return err
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
		if _, err := fmt.Sscanf(line, "%d\n", &n); err != nil || n < 0 || n >= len(started) {
			g.load.judge.violated("the ledger has the line %q", line)
			return
		}
		started[n]++
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
