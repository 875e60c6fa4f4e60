package main

import (
	"fmt"
	"strings"
)

// A goal is what a figure of tandem should be on the machine for which it was
// set: 2 processors, a virtual machine. A ratio travels to another one, a time
// only roughly.
type goal struct {
	work, figure  string
	of            amount
	goal, stretch float64 // stretch 0: none
	more          bool    // more is better
	unit          string
}

// amount finds a figure in a report; false means that it was not measured.
type amount func(Report) (float64, bool)

// Verdict is a goal and what came of it.
type Verdict struct {
	Work    string  `json:"work"`
	Figure  string  `json:"figure"`
	Unit    string  `json:"unit"`
	Value   float64 `json:"value"`
	Goal    float64 `json:"goal"`
	Stretch float64 `json:"stretch,omitempty"`
	More    bool    `json:"more,omitempty"` // more is better
	State   string  `json:"state"`
}

// The states of a verdict.
const (
	stateMet    = "ok"
	stateMissed = "!!"
	stateNone   = "–" // not measured
)

func find(measure, name, placement, contender, unit string) func(Report) (Figures, bool) {
	return func(r Report) (Figures, bool) {
		for _, x := range r.Results {
			if x.Measure == measure && x.Case == name && x.Placement == placement && x.Contender == contender && x.Unit == unit && x.Error == "" {
				return x.Figures, true
			}
		}
		return Figures{}, false
	}
}

func medianOf(f func(Report) (Figures, bool)) amount {
	return func(r Report) (float64, bool) { x, ok := f(r); return x.Median, ok }
}

func p99Of(f func(Report) (Figures, bool)) amount {
	return func(r Report) (float64, bool) { x, ok := f(r); return x.P99, ok }
}

// over is one amount divided by another.
func over(a, b amount) amount {
	return func(r Report) (float64, bool) {
		x, ok := a(r)
		y, good := b(r)
		return x / y, ok && good && y > 0
	}
}

// less is one amount without another, and not below zero.
func less(a, b amount) amount {
	return func(r Report) (float64, bool) {
		x, ok := a(r)
		y, good := b(r)
		return max(0, x-y), ok && good
	}
}

// least is the smallest of those that were measured, of which there must be one.
func least(list ...amount) amount {
	return func(r Report) (low float64, ok bool) {
		for _, a := range list {
			if x, good := a(r); good && (!ok || x < low) {
				low, ok = x, true
			}
		}
		return low, ok
	}
}

func latencyOf(contender, placement string) func(Report) (Figures, bool) {
	return find("latency", caseRecord, placement, contender, unitTime)
}

func mapOf(contender, placement string) amount {
	return medianOf(find("map", caseMap, placement, contender, unitItems))
}

func payloadOf(contender, size string) amount {
	return medianOf(find("payload", size, placeBoth, contender, unitTime))
}

func startOf(contender, name, placement string) amount {
	return medianOf(find("start", name, placement, contender, unitTime))
}

func idleOf(contender, name, unit string) amount {
	return medianOf(find("memory", name, placeBoth, contender, unit))
}

func allocsOf(name string) amount {
	return medianOf(find("allocations", name, placeBoth, "tandem", unitCount))
}

func gcOf(of string) func(Report) (Figures, bool) {
	return find("gc", of, placeBoth, "tandem", unitTime)
}

const us, ms = 1e3, 1e6

// goals is the table, in the order of the page.
var goals = []goal{
	{"Call alone, small struct", "median, two CPUs", medianOf(latencyOf("tandem", placeBoth)), 1.2 * us, 0.8 * us, false, unitTime},
	{"", "p99, two CPUs", p99Of(latencyOf("tandem", placeBoth)), 4 * us, 0, false, unitTime},
	{"", "median, one CPU", medianOf(latencyOf("tandem", placeOne)), 3.5 * us, 2.5 * us, false, unitTime},
	{"", "faster than Pool.apply, two CPUs", faster("Python Pool", placeBoth), 100, 150, true, unitRatio},
	{"", "faster than Pool.apply, one CPU", faster("Python Pool", placeOne), 8, 0, true, unitRatio},
	{"", "faster than go-plugin gRPC, two CPUs", faster("go-plugin gRPC", placeBoth), 80, 120, true, unitRatio},
	{"", "faster than go-plugin gRPC, one CPU", faster("go-plugin gRPC", placeOne), 7, 0, true, unitRatio},
	{"", "faster than shmipc-go, two CPUs", faster("shmipc-go", placeBoth), 40, 70, true, unitRatio},
	{"", "faster than shmipc-go, one CPU", faster("shmipc-go", placeOne), 2, 0, true, unitRatio},
	{"Calls, 100 callers, 2 workers", "calls/s", medianOf(find("calls", "100 callers", placeBoth, "tandem", unitCalls)), 1.5e6, 2e6, true, unitCalls},
	{"", "times shmipc-go", over(medianOf(find("calls", "100 callers", placeBoth, "tandem", unitCalls)),
		medianOf(find("calls", "100 callers", placeBoth, "shmipc-go", unitCalls))), 1.7, 0, true, unitRatio},
	{"Map of int → int", "items/s, two CPUs", mapOf("tandem", placeBoth), 40e6, 100e6, true, unitItems},
	{"", "times Pool.map's default", over(mapOf("tandem", placeBoth), mapOf("Python Pool", placeBoth)), 5, 0, true, unitRatio},
	{"", "items/s, the worst placement", least(mapOf("tandem", placeOne), mapOf("tandem", placeApart), mapOf("tandem", placeBoth)), 10e6, 0, true, unitItems},
	{"Speed-up on 2 workers", "1 µs tasks", speedupOf("1 µs tasks"), 1.7, 1.85, true, unitRatio},
	{"", "10 µs tasks", speedupOf("10 µs tasks"), 1.9, 1.94, true, unitRatio},
	{"", "100 µs tasks", speedupOf("100 µs tasks"), 1.93, 1.95, true, unitRatio},
	{"shared.Buffer, there and back", "64 MiB", payloadOf(contenderBuffer, "64 MiB"), 0.2 * ms, 0.1 * ms, false, unitTime},
	{"", "1 GiB", payloadOf(contenderBuffer, "1 GiB"), 0.2 * ms, 0.1 * ms, false, unitTime},
	{"[]byte in, its length out", "64 MiB", payloadOf("tandem", "64 MiB"), 10 * ms, 5 * ms, false, unitTime},
	{"", "faster than Pool.apply", over(payloadOf("Python Pool", "64 MiB"), payloadOf("tandem", "64 MiB")), 13, 0, true, unitRatio},
	{"Codec, {int, string, []float64(16)}", "both ways", medianOf(find("codec", caseRecord, placeBoth, "tandem codec", unitTime)), 200, 120, false, unitTime},
	{"", "allocations", medianOf(find("codec", caseAllocs, placeBoth, "tandem codec", unitCount)), 3, 0, false, unitCount},
	{"Start to the first byte", "times bare os/exec, two CPUs", over(startOf("tandem", caseFirst, placeBoth), startOf("bare os/exec", caseFirst, placeBoth)), 1.1, 0, false, unitRatio},
	{"", "times bare os/exec, one CPU", over(startOf("tandem", caseFirst, placeOne), startOf("bare os/exec", caseFirst, placeOne)), 1.1, 0, false, unitRatio},
	{"Start of a standby", "back to back", startOf(contenderStandby, caseStandbyHot, placeBoth), 5 * us, 1 * us, false, unitTime},
	{"", "after 20 ms idle", startOf(contenderStandby, caseStandbyIdle, placeBoth), 120 * us, 0, false, unitTime},
	{"1000 idle workers, small program", "until all serve", idleOf(contenderSmall, "1000 workers", unitTime), 2200 * ms, 0, false, unitTime},
	{"", "PSS of each", idleOf(contenderSmall, "1000 workers", unitBytes), 1e6, 0.7e6, false, unitBytes},
	{"Allocations of a call", "64 bytes, caller", allocsOf(caseEcho + ", caller"), 3, 0.01, false, unitCount},
	{"", "64 bytes, worker", allocsOf(caseEcho + ", worker"), 3, 0.01, false, unitCount},
	{"", "small struct, caller", allocsOf(caseRecord + ", caller"), 3, 0, false, unitCount},
	{"", "small struct, worker", allocsOf(caseRecord + ", worker"), 3, 0, false, unitCount},
	{"100 idle workers and their parent", "of one processor", idleOf("tandem", "100 workers", unitShare), 0.1, 0.02, false, unitShare},
	{"Delay of a garbage collection, median", "caller sleeps", less(medianOf(gcOf(gcHereWaits)), medianOf(gcOf(gcHere))), 1 * ms, 0, false, unitTime},
	{"", "caller spins", less(medianOf(gcOf(gcHereSpins)), medianOf(gcOf(gcHere))), 1 * ms, 0, false, unitTime},
	{"", "worker spins", less(medianOf(gcOf(gcThereSpins)), medianOf(gcOf(gcThere))), 1 * ms, 0, false, unitTime},
}

// Contenders and cases that only the goals and their measures name.
const (
	contenderBuffer  = "tandem Buffer"
	contenderStandby = "tandem standby"
	contenderSmall   = "tandem small program"
	caseStandbyHot   = "back to back"
	caseStandbyIdle  = "after 20 ms idle"
)

func faster(rival, placement string) amount {
	return over(medianOf(latencyOf(rival, placement)), medianOf(latencyOf("tandem", placement)))
}

func speedupOf(name string) amount {
	return medianOf(find("speedup", name, placeBoth, "tandem", unitRatio))
}

// judge compares the report with the goals.
func (r Report) judge() (list []Verdict) {
	work := ""
	for _, g := range goals {
		if g.work != "" {
			work = g.work
		}
		v := Verdict{Work: work, Figure: g.figure, Unit: g.unit, Goal: g.goal, Stretch: g.stretch, More: g.more, State: stateNone}
		if value, ok := g.of(r); ok {
			v.Value, v.State = value, stateMissed
			if v.reaches(g.goal) {
				v.State = stateMet
			}
		}
		list = append(list, v)
	}
	return list
}

func (v Verdict) reaches(mark float64) bool {
	if v.More {
		return v.Value >= mark
	}
	return v.Value <= mark
}

// goalTable shows the verdicts, those without a figure only for a whole run. A
// stretch that is reached has a tick.
func goalTable(list []Verdict, whole bool) string {
	t := table{head: []string{"", "figure", "goal", "stretch", ""}}
	last := ""
	for _, v := range list {
		if v.State == stateNone && !whole {
			continue
		}
		if v.Work != last {
			t.rows = append(t.rows, []string{"**" + v.Work + "**"})
			last = v.Work
		}
		sign := "≤ "
		if v.More {
			sign = "≥ "
		}
		value, stretch := "–", ""
		if v.State != stateNone {
			value = human(v.Value, v.Unit)
		}
		if v.Stretch > 0 {
			stretch = sign + human(v.Stretch, v.Unit)
			if v.State != stateNone && v.reaches(v.Stretch) {
				stretch += " ✓"
			}
		}
		t.rows = append(t.rows, []string{v.Figure, value, sign + human(v.Goal, v.Unit), stretch, "[" + v.State + "]"})
	}
	return t.String()
}

// tally counts the verdicts in words.
func tally(list []Verdict) string {
	n := map[string]int{}
	for _, v := range list {
		n[v.State]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d goals are reached", n[stateMet], n[stateMet]+n[stateMissed])
	if n[stateNone] > 0 {
		fmt.Fprintf(&b, ", %d were not measured", n[stateNone])
	}
	return b.String()
}
