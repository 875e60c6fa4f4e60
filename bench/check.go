//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Row is one ratio of the short form. Times are in nanoseconds.
type Row struct {
	Name      string  `json:"name"`
	Placement string  `json:"placement"`
	Than      string  `json:"than"` // whom tandem is compared with
	Unit      string  `json:"unit"`
	Bare      Figures `json:"bare"`
	Tandem    Figures `json:"tandem"`
	Ratio     float64 `json:"ratio"`           // of the medians, of what one call or item costs: less is better
	Goal      float64 `json:"goal,omitempty"`  // on a quiet machine
	Bound     float64 `json:"bound,omitempty"` // what -check allows a busy one; 0: it is only shown
}

// compared are the rows: tandem beside the system's own primitive, or beside what
// a program would use in its place. A row without a bound is measured and printed,
// and -check does not judge it.
var compared = []struct {
	measure, case_, tandem, bare string
	placement                    string
	goal, bound                  float64
}{
	{"start", caseFirst, "tandem", "bare os/exec", placeBoth, 1.10, 1.4},
	{"start", caseFirst, "tandem", "bare os/exec", placeOne, 1.10, 2},
	{"latency", caseEcho, "tandem sockets", "bare socket", placeBoth, 1.5, 2},
	{"latency", caseEcho, "tandem sockets", "bare socket", placeOne, 1.5, 2},
	{"latency", caseEcho, "tandem", "bare socket", placeBoth, 0.1, 0},
	{"latency", caseEcho, "tandem", "bare socket", placeOne, 0.5, 0},
	{"payload", human(page, unitBytes), "tandem", "tandem sockets", placeBoth, 0.15, 0.8},
	{"calls", "100 callers", "tandem", "net/rpc", placeBoth, 0.15, 0},
	{"map", caseMap, "tandem", "channel workers", placeBoth, 0.65, 0},
}

// compare measures the rows. The sides take turns in short blocks, so that a busy
// neighbour meets both; a switch at every sample would measure cold caches.
func compare(ctx context.Context, progress io.Writer) (rows []Row, err error) {
	t, remove, err := prepare(os.Getenv("TANDEM_BENCH_PYTHON"), progress)
	if err != nil {
		return nil, err
	}
	defer remove()
	for _, c := range compared {
		j := job{
			Measure: c.measure, Placement: c.placement, Only: []string{c.tandem, c.bare},
			Share: 20 * time.Millisecond, Rounds: 30, Largest: page, Tools: t,
		}
		rep, err := plan{jobs: []job{j}, tools: t}.conduct(ctx, progress)
		if err != nil {
			return nil, err
		}
		if f := rep.failures(); len(f) > 0 {
			return nil, fmt.Errorf("%s", f[0])
		}
		row := Row{Name: c.measure + " " + c.case_, Placement: c.placement, Than: c.bare, Goal: c.goal, Bound: c.bound}
		for _, r := range rep.Results {
			switch {
			case r.Case != c.case_:
			case r.Contender == c.tandem:
				row.Tandem, row.Unit = r.Figures, r.Unit
			default:
				row.Bare = r.Figures
			}
		}
		if row.Tandem.N == 0 || row.Bare.N == 0 {
			fmt.Fprintln(progress, strings.Join(rep.Left, "\n"))
			continue // a placement that this machine does not have, or a rival that could not be built
		}
		row.Ratio = row.Tandem.Median / row.Bare.Median
		if row.Unit != unitTime { // a rate
			row.Ratio = 1 / row.Ratio
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func printRows(w io.Writer, rows []Row) {
	fmt.Fprintln(w, "median / p99 of a time, median of a rate; ratio of the costs")
	for _, r := range rows {
		show := medianAndP99
		if r.Unit != unitTime {
			show = median
		}
		fmt.Fprintf(w, "%-19s %-8s  %-15s %17s  tandem %17s  ratio %.2f (goal %.2f)\n",
			r.Name, r.Placement, r.Than, show(Result{Unit: r.Unit, Figures: r.Bare}), show(Result{Unit: r.Unit, Figures: r.Tandem}), r.Ratio, r.Goal)
	}
}
