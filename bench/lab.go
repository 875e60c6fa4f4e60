//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// modeMeasure is the mode of a process that runs one measure in one placement:
// a job on its standard input, results on its standard output.
const modeMeasure = "measure"

// job is what such a process is told.
type job struct {
	Measure   string
	Placement string
	Share     time.Duration // for each contender, case and round
	Rounds    int
	Largest   int      // payload in bytes
	Crowds    []int    // numbers of idle workers
	Only      []string // names of contenders, nil for all
	Tools     tools
}

// lab is where a measure meets the contenders.
type lab struct {
	job
	cpus []int
	emit func(Result)
}

// entrant is a contender with an open session. Out means that it failed, which
// has been reported.
type entrant struct {
	*contender
	drive.Session
	out bool
	per float64     // ns of one call, by the last block; 0: not known
	ask drive.Order // how much of it, found in the warm-up
}

func measureMain() error {
	var j job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return err
	}
	return j.run(os.Stdout)
}

func (j job) run(to io.Writer) error {
	results := json.NewEncoder(to)
	var failed error
	l := &lab{job: j, emit: func(r Result) { failed = errors.Join(failed, results.Encode(r)) }}
	var err error
	if l.cpus, err = cpus(); err != nil {
		return err
	}
	if j.Placement == placeApart {
		if len(l.cpus) < 2 {
			return fmt.Errorf("the placement %q needs two processors: %w", placeApart, errors.ErrUnsupported)
		}
		runtime.GOMAXPROCS(runtime.NumCPU()) // or the runtime would follow the new affinity, some seconds late
	}
	for _, m := range measures {
		if m.name == j.Measure {
			m.run(l)
			return failed
		}
	}
	return fmt.Errorf("no measure %q", j.Measure)
}

// able lists everyone who can obey an order here.
func (l *lab) able(order string) (list []*contender) {
	for i := range contenders {
		c := &contenders[i]
		switch {
		case !c.able(order), c.missing(l.Tools) != "",
			c.local && l.Placement == placeApart, // it has no children to be apart from
			l.Only != nil && !slices.Contains(l.Only, c.name):
		default:
			list = append(list, c)
		}
	}
	return list
}

// enter opens a session of each, with a number of workers. The caller must see
// them off with leave.
func (l *lab) enter(list []*contender, workers int) (es []*entrant) {
	for _, c := range list {
		e := &entrant{contender: c}
		var err error
		if e.Session, err = c.open(l.Tools, workers); err != nil {
			l.fail(e, "open", err)
			continue
		}
		es = append(es, e)
	}
	if l.Placement == placeApart {
		// This process first: the drivers among its children are moved again.
		err := separate(os.Getpid(), l.cpus)
		for _, e := range es {
			if pid := e.PID(); err == nil && pid != os.Getpid() {
				err = separate(pid, l.cpus)
			}
		}
		for _, e := range es {
			if err != nil {
				l.fail(e, "placement", err)
			}
		}
	}
	return es
}

// leave closes the sessions.
func (l *lab) leave(es []*entrant) {
	for _, e := range es {
		if err := e.Close(); err != nil && !e.out {
			l.fail(e, "close", err)
		}
	}
}

// fail reports that an entrant has no figure for a case, and takes it out.
func (l *lab) fail(e *entrant, what string, err error) {
	e.out = true
	l.emit(Result{Measure: l.Measure, Case: what, Placement: l.Placement, Contender: e.name, Family: e.family, Error: err.Error()})
}

// give reports a figure.
func (l *lab) give(e *entrant, name string, x float64, unit string, f Figures) {
	l.emit(Result{Measure: l.Measure, Case: name, X: x, Placement: l.Placement, Contender: e.name, Family: e.family, Unit: unit, Figures: f})
}

// gather asks all entrants in turn, round after round, and reports the figures of
// each. The round before the first warms up, and may find out how much to ask.
func (l *lab) gather(es []*entrant, name string, x float64, unit string, ask func(e *entrant, warm bool) ([]float64, error)) {
	got := map[*entrant][]float64{}
	for round := range l.Rounds + 1 {
		for _, e := range es {
			if e.out {
				continue
			}
			samples, err := ask(e, round == 0)
			if err != nil {
				l.fail(e, name, err)
			} else if round > 0 {
				got[e] = append(got[e], samples...)
			}
		}
	}
	for _, e := range es {
		if !e.out && len(got[e]) > 0 {
			l.give(e, name, x, unit, figures(got[e]))
		}
	}
}

// block gives an order that returns samples: as many calls as fit into a share
// of time, by the median of the block before, at least least.
func (l *lab) block(e *entrant, o drive.Order, least int) (drive.Reply, error) {
	o.N = least
	if e.per > 0 {
		o.N = min(max(least, int(float64(l.Share)/e.per)), 1<<15)
	}
	r, err := e.Do(o)
	if err == nil {
		e.per = figures(floats(r.Samples)).Median
	}
	return r, err
}

// grow finds an N with which an order takes about a share of time.
func (l *lab) grow(e *entrant, o drive.Order) (drive.Order, error) {
	const most = 1 << 22
	for {
		r, err := e.Do(o)
		if err != nil || r.Nanos > int64(l.Share)/2 || o.N >= most {
			return o, err
		}
		o.N = min(o.N*max(2, min(8, int(int64(l.Share)/max(1, r.Nanos)))), most)
	}
}

func floats(nanos []int64) []float64 {
	list := make([]float64, len(nanos))
	for i, n := range nanos {
		list[i] = float64(n)
	}
	return list
}
