package bench

import (
	"fmt"
	"math"
)

// Unit is what a value counts.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	PerSecond   Unit = "1/s"
	Bytes       Unit = "B"
)

// Row compares one figure of tandem with one of a rival.
type Row struct {
	Key    string   `json:"-"` // for programs
	Name   string   `json:"-"` // for people
	Unit   Unit     `json:"unit"`
	Tandem *float64 `json:"tandem"` // nil: the system does not have this
	Rival  string   `json:"rival"`
	Theirs *float64 `json:"theirs"`
	Ratio  *float64 `json:"ratio"` // what tandem costs for each 1 that the rival costs

	ours, theirs figure
}

// figure is which of a contender's figures a row shows.
type figure struct{ contender, number int }

func (f figure) of(results [][]float64) *float64 {
	if all := results[f.contender]; f.number < len(all) {
		return &all[f.number]
	}
	return nil
}

// fill takes the row's values from the results.
func (r *Row) fill(results [][]float64) {
	r.Tandem, r.Theirs = r.ours.of(results), r.theirs.of(results)
	if r.Tandem == nil || r.Theirs == nil {
		return
	}
	ratio := *r.Tandem / *r.Theirs
	if r.Unit == PerSecond { // more is cheaper
		ratio = 1 / ratio
	}
	r.Ratio = &ratio
}

// layout is a row of the table: name, value, rival, its value, ratio.
const layout = "%-30s%12s   %-17s%10s%8s\n"

// String is the row as a line of the table.
func (r Row) String() string {
	ratio := "-"
	if r.Ratio != nil {
		ratio = digits(*r.Ratio)
	}
	return fmt.Sprintf(layout, r.Name, show(r.Tandem, r.Unit), r.Rival, show(r.Theirs, r.Unit), ratio)
}

// scales are the steps of each unit, the largest first.
var scales = map[Unit][]struct {
	from float64
	name string
}{
	Nanoseconds: {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}},
	PerSecond:   {{1e6, "M/s"}, {1e3, "k/s"}, {1, "/s"}},
	Bytes:       {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}},
}

// show is a value with its unit, in three digits.
func show(v *float64, u Unit) string {
	if v == nil {
		return "not here"
	}
	steps := scales[u]
	for _, s := range steps {
		if *v >= s.from {
			return digits(*v/s.from) + " " + s.name
		}
	}
	last := steps[len(steps)-1]
	return digits(*v/last.from) + " " + last.name
}

// digits shows three digits that count, below 1 two of them.
func digits(v float64) string {
	if v <= 0 {
		return "0"
	}
	before := 1 + int(math.Floor(math.Log10(v))) // digits before the point; -1 for 0.02
	if v < 1 {
		return fmt.Sprintf("%.*f", 2-before, v)
	}
	return fmt.Sprintf("%.*f", max(0, 3-before), v)
}
