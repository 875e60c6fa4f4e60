// Package doctor examines what a machine lets tandem do: how many processors
// and how much memory it may use, which limits it can keep, what catches the
// descendants of a task, what starting this program costs, and what tandem
// falls back to where something is missing.
//
// Everything in a report was tried or read at that moment; nothing is
// concluded from a version number.
package doctor

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem/course"
)

// Report is what was found, in sections.
type Report []Section

// Section is one subject of a report.
type Section struct {
	Name string // as people read it; in JSON with underscores
	Rows []Row
}

// Row is one finding.
type Row struct {
	Name  string // as people read it; in JSON with underscores
	Value any    // for programs: a number, a string, a bool, or nil for "unknown"
	Text  string // for people; empty means Value as it is
}

// Examine looks at this machine. It starts this program a few times, for a
// few milliseconds each, and leaves nothing behind.
func Examine(ctx context.Context) Report {
	return Report{
		{"machine", append([]Row{{"system", runtime.GOOS + "/" + runtime.GOARCH, ""}}, machine()...)},
		{"limits", limits()},
		{"cgroup", cgroup()},
		{"kernel", kernel(ctx)},
		{"descendants", descendants(ctx)},
		{"this program", binary(ctx)},
		{"tandem uses", uses()},
	}
}

// columns is what a terminal is sure to have; names is how many of them the
// names take.
const (
	columns = 80
	names   = 18
)

// String is the report as aligned text of at most 80 columns.
func (r Report) String() string {
	var b strings.Builder
	for i, s := range r {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.Name + "\n")
		for _, row := range s.Rows {
			name := row.Name
			for _, text := range course.Wrap(row.text(), columns-names-2) {
				fmt.Fprintf(&b, "  %-*s%s\n", names, name, text)
				name = ""
			}
		}
	}
	return b.String()
}

func (r Row) text() string {
	switch {
	case r.Text != "":
		return r.Text
	case r.Value == nil:
		return "unknown"
	case r.Value == true:
		return "yes"
	case r.Value == false:
		return "no"
	}
	return fmt.Sprint(r.Value)
}

// MarshalJSON writes the report as an object of objects, in its own order.
func (r Report) MarshalJSON() ([]byte, error) {
	var all course.Facts
	for _, s := range r {
		var rows course.Facts
		for _, row := range s.Rows {
			rows.Set(key(row.Name), row.Value)
		}
		all.Set(key(s.Name), rows)
	}
	return all.MarshalJSON()
}

func key(name string) string { return strings.NewReplacer(" ", "_", ".", "_").Replace(name) }

// size is a number of bytes for people.
func size(bytes uint64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	if bytes >= 1<<10 {
		return fmt.Sprintf("%d KiB", bytes/1024)
	}
	return fmt.Sprint(bytes)
}
