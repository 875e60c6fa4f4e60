package main

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// human writes a figure with three digits and a unit that a reader can say:
// 850 ns, 12.3 µs, 64 KiB, 1.52 M.
func human(v float64, unit string) string {
	switch unit {
	case unitTime:
		return scaled(v, 1000, " ns", " µs", " ms", " s")
	case unitBytes:
		return scaled(v, 1024, " B", " KiB", " MiB", " GiB")
	case unitCalls, unitItems:
		return scaled(v, 1000, "", " k", " M", " G")
	}
	if unit == unitRatio || unit == unitCount {
		return digits(v)
	}
	return digits(v) + " " + unit
}

func scaled(v, step float64, names ...string) string {
	i := 0
	for ; v >= step*0.9995 && i < len(names)-1; i++ {
		v /= step
	}
	return digits(v) + names[i]
}

// digits writes three digits, without the zeros of a whole number.
func digits(v float64) string {
	if v == math.Trunc(v) && v < 1e6 {
		return fmt.Sprintf("%.0f", v)
	}
	switch a := math.Abs(v); {
	case a >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.01 || a == 0:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.1g", v)
}

// plural counts: 1 worker, 2 workers.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// table is a Markdown table that can also be read as it stands: columns are
// aligned, all but the first to the right.
type table struct {
	head []string
	rows [][]string
}

func (t table) String() string {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 2)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, w := range widths {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			pad := strings.Repeat(" ", w-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + pad + " ")
			} else {
				b.WriteString("| " + pad + cell + " ")
			}
		}
		b.WriteString("|\n")
	}
	line(t.head)
	for i, w := range widths {
		if i == 0 {
			b.WriteString("|-" + strings.Repeat("-", w) + "-")
		} else {
			b.WriteString("|-" + strings.Repeat("-", w) + ":")
		}
	}
	b.WriteString("|\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

// grid makes a table of results: contenders down, in the given order, what
// column says across, in the order of first appearance. What was not measured
// is a dash, what failed says so.
func grid(results []Result, order []string, corner string, column, cell func(Result) string) table {
	t := table{head: []string{corner}}
	at := map[string]int{}
	byRow := map[string][]Result{}
	for _, r := range results {
		if c := column(r); at[c] == 0 {
			at[c] = len(t.head)
			t.head = append(t.head, c)
		}
		byRow[r.Contender] = append(byRow[r.Contender], r)
	}
	for _, name := range order {
		list := byRow[name]
		if len(list) == 0 {
			continue
		}
		row := []string{name}
		for range t.head[1:] {
			row = append(row, "–")
		}
		for _, r := range list {
			row[at[column(r)]] = cell(r)
		}
		t.rows = append(t.rows, row)
	}
	return t
}
