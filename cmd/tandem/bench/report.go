package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
)

// Report is what was measured.
type Report struct {
	Machine Machine
	Seconds float64 // that it took
	Busy    bool    // whether others used the processors meanwhile
	Rows    []Row
}

// Machine is where it was measured.
type Machine struct {
	System string // as linux/amd64
	CPU    string // its model, "" if the system does not tell
	Cores  int
	Usable int // of them, by this program
	Go     string
}

func here() Machine {
	m := Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Usable: tandem.CPUs(), Go: runtime.Version()}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, model, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.Join(strings.Fields(model), " ")
			break
		}
	}
	return m
}

// columns is what a terminal is sure to have.
const columns = 80

// Head is the machine and the names of the columns.
func Head() string {
	m := here()
	text := fmt.Sprintf("%s, %d of %d CPUs, %s", m.System, m.Usable, m.Cores, m.Go)
	if m.CPU != "" {
		text += ", " + m.CPU
	}
	return course.Cut(text, columns) + "\n\n" + fmt.Sprintf(layout, "", "tandem", "rival", "", "ratio")
}

// Foot says how the figures are to be read, and where there are more.
func (r *Report) Foot() string {
	text := fmt.Sprintf("Medians of %d rounds, in %.0f s. A ratio below 1: tandem costs less than its rival.\n", rounds, r.Seconds)
	if r.Busy {
		text += "Others used this machine meanwhile: take the figures as a hint, and run again.\n"
	}
	return "\n" + text + "More rivals, sizes and care, from a checkout: go run ./bench -all\n"
}

// MarshalJSON writes the schema that the command's help tells.
func (r *Report) MarshalJSON() ([]byte, error) {
	var all, rows course.Facts
	for _, row := range r.Rows {
		rows.Set(row.Key, row)
	}
	m := r.Machine
	all.Set("system", m.System)
	all.Set("cpu", m.CPU)
	all.Set("cores", m.Cores)
	all.Set("usable", m.Usable)
	all.Set("go", m.Go)
	all.Set("seconds", r.Seconds)
	all.Set("busy", r.Busy)
	all.Set("measures", rows)
	return json.Marshal(all)
}
