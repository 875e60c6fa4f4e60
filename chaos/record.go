//go:build linux

package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
)

// sample is what was seen at one moment of a run.
type sample struct {
	at        time.Duration // since the run began
	held      footprint
	processes int     // of the whole tree
	memory    float64 // of the whole tree, in MB
	rate      float64 // tasks settled a second since the sample before
	made      []int   // disturbances since then, by their places in names
}

// recorder takes a sample every so often. What it keeps of an hour is a megabyte.
type recorder struct {
	every   time.Duration
	settled func() int64
	table   *csv.Writer // of the samples; nil: none

	mu      sync.Mutex
	samples []sample
	made    []int // since the last sample
}

// newRecorder writes the table of its samples to w as they come, so that it is there
// also of a run that hangs. w may be nil.
func newRecorder(every time.Duration, settled func() int64, w io.Writer) *recorder {
	r := &recorder{every: every, settled: settled, made: make([]int, len(names))}
	if w != nil {
		r.table = csv.NewWriter(w)
		head := []string{"seconds"}
		for _, m := range measures {
			head = append(head, m.name+" ("+m.unit+")")
		}
		r.table.Write(append(head, names...))
	}
	return r
}

// note counts a disturbance that was made.
func (r *recorder) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[slices.Index(names, what)]++
}

// run samples until stop is closed.
func (r *recorder) run(stop <-chan struct{}) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	begin, last, settled := time.Now(), time.Now(), r.settled()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		s := sample{held: holdings()}
		s.processes, s.memory = tree()
		now, all := time.Now(), r.settled()
		s.at, s.rate = now.Sub(begin), float64(all-settled)/now.Sub(last).Seconds()
		last, settled = now, all
		r.keep(s)
	}
}

func (r *recorder) keep(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.made, r.made = r.made, make([]int, len(names))
	r.samples = append(r.samples, s)
	if r.table == nil {
		return
	}
	row := []string{fmt.Sprintf("%.1f", s.at.Seconds())}
	for _, m := range measures {
		row = append(row, strconv.FormatFloat(m.of(s), 'f', -1, 64))
	}
	for _, n := range s.made {
		row = append(row, strconv.Itoa(n))
	}
	r.table.Write(row)
	r.table.Flush()
}

// all returns the samples, when run has returned.
func (r *recorder) all() []sample { return r.samples }
