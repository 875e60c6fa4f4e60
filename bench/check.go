//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// Row is one ratio of the short form. Times are in nanoseconds.
type Row struct {
	Name      string  `json:"name"`
	Placement string  `json:"placement"`
	Bare      Figures `json:"bare"`
	Tandem    Figures `json:"tandem"`
	Ratio     float64 `json:"ratio"` // of the medians
	Goal      float64 `json:"goal"`  // on a quiet machine
	Bound     float64 `json:"bound"` // what -check allows a busy one
}

// compared are the rows: tandem beside the system's own primitive.
var compared = []struct {
	measure, case_, tandem, bare string
	placement                    string
	goal, bound                  float64
}{
	{"start", caseFirst, "tandem", "bare os/exec", placeBoth, 1.10, 1.4},
	{"start", caseFirst, "tandem", "bare os/exec", placeOne, 1.10, 1.6},
	{"latency", caseEcho, "tandem, sockets", "bare socket", placeBoth, 1.4, 2},
	{"latency", caseEcho, "tandem, sockets", "bare socket", placeOne, 1.4, 2},
}

// compare measures the rows. The sides take turns in short blocks, so that a busy
// neighbour meets both; a switch at every sample would measure cold caches.
func compare(ctx context.Context, progress io.Writer) (rows []Row, err error) {
	for _, c := range compared {
		j := job{
			Measure: c.measure, Placement: c.placement, Only: []string{c.tandem, c.bare},
			Share: 20 * time.Millisecond, Rounds: 30,
		}
		rep, err := plan{jobs: []job{j}}.conduct(ctx, progress)
		if err != nil {
			return nil, err
		}
		if f := rep.failures(); len(f) > 0 {
			return nil, fmt.Errorf("%s", f[0])
		}
		if len(rep.Results) == 0 {
			fmt.Fprintln(progress, strings.Join(rep.Left, "\n"))
			continue // a placement that this machine does not have
		}
		row := Row{Name: c.measure + " " + c.case_, Placement: c.placement, Goal: c.goal, Bound: c.bound}
		for _, r := range rep.Results {
			switch {
			case r.Case != c.case_:
			case r.Contender == c.tandem:
				row.Tandem = r.Figures
			default:
				row.Bare = r.Figures
			}
		}
		row.Ratio = row.Tandem.Median / row.Bare.Median
		rows = append(rows, row)
	}
	return rows, nil
}

func printRows(w io.Writer, rows []Row) {
	fmt.Fprintln(w, "median / p99 in µs")
	for _, r := range rows {
		fmt.Fprintf(w, "%-20s %-9s bare %6.1f /%7.1f  tandem %6.1f /%7.1f  ratio %.2f (goal %.2f)\n",
			r.Name, r.Placement, r.Bare.Median/1e3, r.Bare.P99/1e3, r.Tandem.Median/1e3, r.Tandem.P99/1e3, r.Ratio, r.Goal)
	}
}
