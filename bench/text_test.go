package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFigures(t *testing.T) {
	list := make([]float64, 200)
	for i := range list {
		list[i] = float64(200 - i) // 1 … 200, backwards
	}
	if got, want := figures(list), (Figures{Median: 100.5, P99: 199, Mean: 100.5, Least: 1, N: 200}); got != want {
		t.Errorf("of 1 … 200: %+v, want %+v", got, want)
	}
	if got, want := figures([]float64{7}), (Figures{7, 7, 7, 7, 1}); got != want {
		t.Errorf("of one: %+v, want %+v", got, want)
	}
}

func TestHuman(t *testing.T) {
	for _, c := range []struct {
		v          float64
		unit, want string
	}{
		{850, unitTime, "850 ns"}, {12345, unitTime, "12.3 µs"}, {1e9, unitTime, "1 s"}, {999999, unitTime, "1.00 ms"},
		{64, unitBytes, "64 B"}, {64 << 20, unitBytes, "64 MiB"}, {1.5 * 1024, unitBytes, "1.50 KiB"},
		{1.52e6, unitCalls, "1.52 M"}, {43, unitItems, "43"}, {1.944, unitRatio, "1.94"}, {0.0061, unitRatio, "0.006"}, {10, "µs", "10 µs"},
	} {
		if got := human(c.v, c.unit); got != c.want {
			t.Errorf("human(%v, %s) = %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

// made is a report with every measure, as wide as a real one.
func made() Report {
	r := Report{Machine: Machine{Date: "now", CPU: "a processor", Load: 2, Rivals: map[string]string{"a/module": "v1"}}, Left: []string{"somebody: no python3"}}
	for i, name := range []string{"tandem", "Python SharedMemory", "os/exec with gRPC"} {
		r.Contenders = append(r.Contenders, Entry{Name: name, Note: "a <note>"})
		add := func(measure, name, unit string, x, v float64, places ...string) {
			for _, p := range places {
				r.Results = append(r.Results, Result{Measure: measure, Case: name, X: x, Placement: p, Contender: r.Contenders[i].Name, Unit: unit,
					Figures: Figures{Median: v * float64(i+1), P99: 10 * v * float64(i+1), Mean: 2 * v * float64(i+1), N: 9}})
			}
		}
		places := []string{placeOne, placeApart, placeBoth}[i:] // not everyone is everywhere
		add("latency", caseEcho, unitTime, 0, 123456, places...)
		if i < 2 {
			add("latency", caseRecord, unitTime, 0, 234567, places...)
		}
		for n := 1.0; n <= 1000; n *= 10 {
			add("calls", plural(int(n), "caller"), unitCalls, n, 123456*n, placeOne, placeBoth)
			add("payload", human(n, unitBytes), unitTime, n, 123456*n, placeOne, placeBoth)
		}
		add("start", caseFirst, unitTime, 0, 1.23e6, placeBoth)
		add("start", caseJoin, unitTime, 0, 2.34e6, placeBoth)
	}
	return r
}

func TestMarkdown(t *testing.T) {
	r := made()
	r.Results = append(r.Results, Result{Measure: "map", Placement: placeOne, Contender: "tandem", Error: "it broke"})
	page := r.Markdown(true)
	for _, want := range []string{
		"do not cite", "- Rival: a/module v1", "| tandem              |", "123 / 1235 / 247", "- **tandem**: a <note>", "map, one CPU: tandem", "it broke",
		"somebody: no python3", "![Calls a second over callers, two CPUs](calls-two-cpus.svg)", "–",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q:\n%s", want, page)
		}
	}
	for line := range strings.Lines(page) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > 100 && !strings.HasPrefix(line, "![") {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// TestGoals: a figure is compared with its goal from the right side, and what was
// not measured is no failure.
func TestGoals(t *testing.T) {
	r := Report{Results: []Result{
		{Measure: "latency", Case: caseRecord, Placement: placeBoth, Contender: "tandem", Unit: unitTime, Figures: Figures{Median: 1000, P99: 5000}},
		{Measure: "latency", Case: caseRecord, Placement: placeBoth, Contender: "Python Pool", Unit: unitTime, Figures: Figures{Median: 200_000}},
		{Measure: "map", Case: caseMap, Placement: placeBoth, Contender: "tandem", Unit: unitItems, Figures: Figures{Median: 50e6}},
		{Measure: "map", Case: caseMap, Placement: placeOne, Contender: "tandem", Unit: unitItems, Figures: Figures{Median: 9e6}},
		{Measure: "codec", Case: caseRecord, Placement: placeBoth, Contender: "tandem codec", Unit: unitTime, Error: "broken"},
		{Measure: "gc", Case: gcHere, Placement: placeBoth, Contender: "tandem", Unit: unitTime, Figures: Figures{Median: 2e6}},
		{Measure: "gc", Case: gcHereWaits, Placement: placeBoth, Contender: "tandem", Unit: unitTime, Figures: Figures{Median: 1e6}},
	}}
	r.Goals = r.judge()
	want := map[string]struct {
		state string
		value float64
	}{
		"Call alone, small struct: median, two CPUs":                 {stateMet, 1000},
		"Call alone, small struct: p99, two CPUs":                    {stateMissed, 5000},
		"Call alone, small struct: faster than Pool.apply, two CPUs": {stateMet, 200},
		"Map of int → int: items/s, two CPUs":                        {stateMet, 50e6},
		"Map of int → int: items/s, the worst placement":             {stateMissed, 9e6},
		"Delay of a garbage collection, median: caller sleeps":       {stateMet, 0}, // not below zero
	}
	for _, v := range r.Goals {
		w := want[v.Work+": "+v.Figure]
		if w.state == "" {
			w.state = stateNone
		}
		if v.State != w.state || v.Value != w.value {
			t.Errorf("%s, %s: %s, %v, want %s, %v", v.Work, v.Figure, v.State, v.Value, w.state, w.value)
		}
	}
	if got := tally(r.Goals); !strings.HasPrefix(got, "4 of 6 goals are reached, ") {
		t.Errorf("the tally says %q", got)
	}
	page := strings.Join(strings.Fields(r.Markdown(false)), " ")
	for _, line := range []string{
		"| median, two CPUs | 1 µs | ≤ 1.20 µs | ≤ 800 ns | [ok] |", "| faster than Pool.apply, two CPUs | 200 | ≥ 100 | ≥ 150 ✓ | [ok] |",
		"| items/s, the worst placement | 9 M | ≥ 10 M | | [!!] |", "| 1 GiB | – | ≤ 200 µs | ≤ 100 µs | [–] |",
	} {
		if !strings.Contains(page, line) {
			t.Errorf("the page lacks %q:\n%s", line, page)
		}
	}
}

// TestGoalTable: a stretch is further than its goal.
func TestGoalTable(t *testing.T) {
	for _, g := range goals {
		if g.of == nil || g.goal <= 0 || g.stretch > 0 && (g.stretch > g.goal) != g.more {
			t.Errorf("%s, %s: goal %v, stretch %v", g.work, g.figure, g.goal, g.stretch)
		}
	}
}

// TestTimes: a latency is compared with tandem's in the same case and placement.
func TestTimes(t *testing.T) {
	list := times([]Result{
		{Measure: "latency", Case: caseEcho, Placement: placeOne, Contender: "tandem", Figures: Figures{Median: 2}},
		{Measure: "latency", Case: caseEcho, Placement: placeOne, Contender: "other", Figures: Figures{Median: 6}},
		{Measure: "latency", Case: caseRecord, Placement: placeOne, Contender: "tandem", Figures: Figures{Median: 4}},
		{Measure: "latency", Case: caseRecord, Placement: placeBoth, Contender: "third", Figures: Figures{Median: 4}},
	})
	got := map[string]float64{}
	for _, r := range list {
		got[r.Contender] = r.Median
	}
	if len(list) != 2 || got["tandem"] != 1 || got["other"] != 3 {
		t.Errorf("got %v, want tandem 1 (by the struct) and other 3 (by the echo); third has nothing to be compared with", got)
	}
}

// TestPlots: pictures are well-formed, name everyone, and keep inside.
func TestPlots(t *testing.T) {
	plots := made().plots()
	if len(plots) < 6 {
		t.Fatalf("%d plots: %v", len(plots), plots)
	}
	for name, text := range plots {
		if !strings.Contains(text, ">tandem<") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s: no tandem in it, or no numbers", name)
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}

// TestSpread: labels keep their order and do not overlap.
func TestSpread(t *testing.T) {
	got := spread([]float64{100, 10, 99, 98}, 14, 0, 110)
	if want := []float64{110, 10, 96, 82}; len(got) != 4 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
		t.Errorf("got %v, want %v", got, want)
	}
}
