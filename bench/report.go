package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pick returns the good results of a measure.
func (r Report) pick(measure string) (list []Result) {
	for _, x := range r.Results {
		if x.Measure == measure && x.Error == "" {
			list = append(list, x)
		}
	}
	return append(list, times(list)...)
}

// order is how the contenders stand in every table.
func (r Report) order() (names []string) {
	for _, c := range r.Contenders {
		names = append(names, c.Name)
	}
	return names
}

// failures lists what should have given a figure and did not.
func (r Report) failures() (list []string) {
	for _, x := range r.Results {
		if x.Error != "" {
			list = append(list, fmt.Sprintf("%s, %s: %s, %s: %s", x.Measure, x.Placement, x.Contender, x.Case, x.Error))
		}
	}
	return list
}

// times derives how many times tandem's median each latency is.
func times(results []Result) (list []Result) {
	for _, name := range []string{caseRecord, caseEcho} { // the struct, where there is one
		base := map[string]float64{}
		for _, r := range results {
			if r.Contender == "tandem" && r.Case == name {
				base[r.Placement] = r.Median
			}
		}
		for _, r := range results {
			b := base[r.Placement]
			done := slices.ContainsFunc(list, func(x Result) bool { return x.Contender == r.Contender && x.Placement == r.Placement })
			if r.Measure == "latency" && r.Case == name && b > 0 && !done {
				r.Case, r.Unit, r.Median = caseTimes, unitRatio, r.Median/b
				list = append(list, r)
			}
		}
	}
	return list
}

func filter(results []Result, of func(Result) bool) (list []Result) {
	for _, r := range results {
		if of(r) {
			list = append(list, r)
		}
	}
	return list
}

// Markdown is the report as a page. plots says whether their files lie beside it.
func (r Report) Markdown(plots bool) string {
	var b strings.Builder
	order := r.order()
	b.WriteString("# Benchmark of " + r.Machine.Date + "\n\n" + r.Machine.String() + "\n")
	if slices.ContainsFunc(r.Goals, func(v Verdict) bool { return v.State != stateNone }) {
		fmt.Fprintf(&b, "## Goals\n\n%s\n\n%s\n", wrap(goalsReading+tally(r.Goals)+".", 98), goalTable(r.Goals, !r.Part))
	}
	for _, s := range sections {
		results := r.pick(s.measure)
		if len(results) == 0 {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, wrap(s.reading, 98))
		for _, t := range s.tables {
			list := filter(results, t.of)
			if len(list) == 0 {
				continue
			}
			if t.caption != "" {
				b.WriteString(t.caption + ":\n\n")
			}
			b.WriteString(grid(list, order, "", t.column, t.cell).String() + "\n")
		}
		for _, p := range s.plots {
			if plots && len(filter(results, p.of)) > 0 {
				fmt.Fprintf(&b, "![%s](%s.svg)\n\n", p.title, p.file)
			}
		}
	}
	var notes []string
	for _, c := range r.Contenders {
		notes = append(notes, "**"+c.Name+"**: "+c.Note)
	}
	list(&b, "Contenders", notes)
	list(&b, "Failed", r.failures())
	list(&b, "Not here", r.Left)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func list(b *strings.Builder, title string, items []string) {
	if len(items) > 0 {
		fmt.Fprintf(b, "## %s\n\n- %s\n\n", title, strings.Join(items, "\n- "))
	}
}

// String is the head of a page: on what, when and how.
func (m Machine) String() string {
	var b strings.Builder
	kind := ""
	if m.Virtual {
		kind = ", a virtual machine"
	}
	fmt.Fprintf(&b, "- Command: `%s`\n", m.Command)
	fmt.Fprintf(&b, "- Machine: %s, %d processors usable, %s of memory%s\n", m.CPU, m.CPUs, human(float64(m.Memory), unitBytes), kind)
	fmt.Fprintf(&b, "- System: %s, %s", m.Kernel, m.Go)
	if m.Python != "" {
		fmt.Fprintf(&b, ", Python %s", m.Python)
	}
	fmt.Fprintf(&b, "\n- Load average at the start: %.2f", m.Load)
	if m.Load > 1 {
		b.WriteString(" (**over 1: others worked here; do not cite these figures**)")
	}
	fmt.Fprintf(&b, "\n- This program: %s", human(float64(m.Binary), unitBytes))
	for _, name := range slices.Sorted(maps.Keys(m.Rivals)) {
		fmt.Fprintf(&b, "\n- Rival: %s %s", name, m.Rivals[name])
	}
	return b.String() + "\n"
}

// wrap breaks a text into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(text) {
		l := len([]rune(word))
		switch {
		case n == 0:
		case n+1+l > width:
			b.WriteByte('\n')
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += l
	}
	return b.String()
}
