//go:build linux && cgo

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-go/tandem"
)

// Width of the columns; with the spaces between them 80.
const line = "%-15.15s  %-26.26s  %-35.35s\n"

// report prints the table and what did not hold; the latter makes the exit status 1.
func report(out io.Writer, trials []trial) (code int) {
	fmt.Fprintf(out, line, "DEFECT", "IN PROCESS", fmt.Sprintf("IN A POOL OF %d WORKERS", workers))
	var notes, broken []string
	for _, t := range trials {
		alone, pool := t.judge()
		fmt.Fprintf(out, line, t.decoder, alone.text, pool.text)
		notes = append(notes, t.deaths()...)
		for _, v := range []verdict{alone, pool} {
			if v.broken != "" {
				broken = append(broken, t.decoder+": "+v.broken)
			}
		}
	}
	fmt.Fprintf(out, "\n%s\n", strings.Join(notes, "\n"))
	for _, b := range broken {
		fmt.Fprintf(out, "DID NOT HOLD: %s\n", b)
	}
	if len(broken) > 0 {
		return 1
	}
	return 0
}

// verdict is what is seen of a trial, and what of it should not be.
type verdict struct{ text, broken string }

func (t *trial) judge() (alone, pool verdict) {
	calls := len(t.pool)
	right, wrong := t.score()
	lost := calls - right
	switch t.decoder {
	case overflowing:
		hostile, blamed := 0, 0
		for i, o := range t.pool {
			if t.file(i).hostile {
				hostile++
				if died(o.err) != "" {
					blamed++
				}
			}
		}
		alone.text = fmt.Sprintf("died of %s, 0 right", died(t.aloneErr))
		if died(t.aloneErr) == "" {
			alone.broken = fmt.Sprintf("the process did not die of it: %v", t.aloneErr)
		}
		pool.text = fmt.Sprintf("%d of %d right, %d workers died", right, calls, t.stats.Crashed)
		if lost != hostile || blamed != hostile {
			pool.broken = fmt.Sprintf("%d files are hostile, %d were not decoded, %d of the hostile killed a worker", hostile, lost, blamed)
		}
	case leaking:
		whole, most := t.alone.Grew, t.worst()
		alone.text = fmt.Sprintf("grew by %d MiB", whole>>20)
		if whole < 2*workers*growth {
			alone.broken = fmt.Sprintf("grew by %d bytes only: %v", whole, t.aloneErr)
		}
		pool.text = fmt.Sprintf("by %d MiB at most, %d replaced", most>>20, t.stats.Recycled)
		if lost > 0 || t.stats.Recycled == 0 || most >= whole/workers { // the share of a worker that stays
			pool.broken = fmt.Sprintf("%d lost, %d replaced, one grew by %d bytes", lost, t.stats.Recycled, most)
		}
	case shared:
		mixed := 0
		for i, r := range t.alone.Readings {
			if r.Sum != t.file(i).sum {
				mixed++
			}
		}
		together := t.together()
		alone.text = fmt.Sprintf("%d of %d wrong", mixed, calls)
		if mixed == 0 {
			alone.broken = fmt.Sprintf("no picture was mixed up: %v", t.aloneErr)
		}
		pool.text = fmt.Sprintf("%d of %d wrong, %d at a time", wrong, calls, together)
		if lost > 0 || together < 2 {
			pool.broken = fmt.Sprintf("%d lost, %d at a time", lost, together)
		}
	}
	return alone, pool
}

// score counts the pool's right pictures, and the wrong ones.
func (t *trial) score() (right, wrong int) {
	for i, o := range t.pool {
		switch {
		case o.err != nil:
		case o.Sum == t.file(i).sum:
			right++
		default:
			wrong++
		}
	}
	return right, wrong
}

// deaths tells of each call without a result which file it was, and what of.
func (t *trial) deaths() (lines []string) {
	for i, o := range t.pool {
		crash := new(tandem.CrashError)
		switch {
		case errors.As(o.err, &crash):
			lines = append(lines, fmt.Sprintf("%s killed worker %d: %s", t.file(i).name, crash.PID, crash.Reason))
		case o.err != nil:
			lines = append(lines, fmt.Sprintf("%s: %v", t.file(i).name, o.err))
		}
	}
	return lines
}

// died is the signal of which a process died, by its short name: SIGSEGV, and SIGABRT if
// the C library has found its heap broken before that. It is empty if none did.
func died(err error) string {
	var crash *tandem.CrashError
	if !errors.As(err, &crash) {
		return ""
	}
	return signalName.FindString(crash.Signal + crash.Reason)
}

var signalName = regexp.MustCompile(`SIG[A-Z]+`)

// span is how much a process grew while it decoded these, of which there is one.
func span(readings []reading) int64 {
	bySize := func(a, b reading) int { return cmp.Compare(a.Resident, b.Resident) }
	return slices.MaxFunc(readings, bySize).Resident - slices.MinFunc(readings, bySize).Resident
}

// worst is the growth of the worker that grew most.
func (t *trial) worst() (most int64) {
	byWorker := map[int][]reading{}
	for _, o := range t.pool {
		byWorker[o.PID] = append(byWorker[o.PID], o.reading)
	}
	for _, readings := range byWorker {
		most = max(most, span(readings))
	}
	return most
}

// together is how many workers were decoding at one moment, at most.
func (t *trial) together() (most int) {
	for _, at := range t.pool {
		now := map[int]bool{}
		for _, o := range t.pool {
			if !o.Began.After(at.Began) && o.Ended.After(at.Began) {
				now[o.PID] = true
			}
		}
		most = max(most, len(now))
	}
	return most
}
