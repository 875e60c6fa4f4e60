//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/tandem-go/tandem"
)

// Row is one ratio. Times are in nanoseconds.
type Row struct {
	Name      string  `json:"name"`
	Placement string  `json:"placement"`
	Bare      Figures `json:"bare"`
	Tandem    Figures `json:"tandem"`
	Ratio     float64 `json:"ratio"` // of the medians
	Goal      float64 `json:"goal"`  // on a quiet machine
	Bound     float64 `json:"bound"` // what -check allows a busy one
}

func main() {
	bareMain()    // a child of the bare side never gets past it
	tandem.Init() // a worker never gets past it

	check := flag.Bool("check", false, "exit with status 1 if a ratio is over its bound")
	asJSON := flag.Bool("json", false, "print JSON")
	starts := flag.Int("starts", 200, "starts of each kind")
	calls := flag.Int("calls", 20000, "calls of each kind")
	flag.Parse()

	rows, err := measure(*starts, *calls)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if *asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		enc.Encode(rows)
	} else {
		print(rows)
	}
	over := 0
	for _, r := range rows {
		if r.Ratio > r.Bound {
			over++
			fmt.Fprintf(os.Stderr, "bench: %s (%s): ratio %.2f is over %.2f\n", r.Name, r.Placement, r.Ratio, r.Bound)
		}
	}
	if *check && over > 0 {
		os.Exit(1)
	}
}

func print(rows []Row) {
	fmt.Println("median / p99 in µs; placement: where parent and child may run")
	for _, r := range rows {
		fmt.Printf("%-20s %-7s bare %6.1f /%7.1f  tandem %6.1f /%7.1f  ratio %.2f (goal %.2f)\n",
			r.Name, r.Placement, r.Bare.Median/1e3, r.Bare.P99/1e3, r.Tandem.Median/1e3, r.Tandem.P99/1e3, r.Ratio, r.Goal)
	}
}
