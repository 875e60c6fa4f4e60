package doctor

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// ready does nothing: what its process costs is the cost of a process.
var ready = tandem.NewTask("ready", func(ctx context.Context, _ struct{}) (struct{}, error) { return struct{}{}, nil })

// binary tells what every worker of this program pays before it can work.
func binary(ctx context.Context) []Row {
	rows := []Row{{"size", nil, ""}}
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			rows[0] = Row{"size", info.Size(), size(uint64(info.Size()))}
		}
	}
	rows = append(rows, initCost(ctx)...)
	return append(rows, startCost(ctx))
}

// packageInit is a line of the runtime's own trace:
//
//	init internal/godebug @0.21 ms, 0.008 ms clock, 1072 bytes, 9 allocs
var packageInit = regexp.MustCompile(`(?m)^init (\S+) @[0-9.]+ ms, ([0-9.]+) ms clock`)

// initCost starts this program once more and lets the Go runtime time the
// initialisation of each package.
func initCost(ctx context.Context) []Row {
	path, err := os.Executable()
	if err != nil {
		return []Row{{"package init", nil, "unknown: " + err.Error()}}
	}
	var trace bytes.Buffer
	c := exec.CommandContext(ctx, path, "version")
	c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	c.Stderr = &trace
	if err := c.Run(); err != nil {
		return []Row{{"package init", nil, "unknown: " + err.Error()}}
	}
	var costs []cost
	total := 0.0
	for _, m := range packageInit.FindAllStringSubmatch(trace.String(), -1) {
		ms, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			continue
		}
		total += ms
		costs = append(costs, cost{m[1], ms})
	}
	slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(b.MS, a.MS) })
	slowest := costs[:min(3, len(costs))]
	var texts []string
	for _, c := range slowest {
		texts = append(texts, fmt.Sprintf("%.2f ms %s", c.MS, c.Package))
	}
	return []Row{
		{"package init", total, fmt.Sprintf("%.2f ms in %d packages; each worker pays it", total, len(costs))},
		{"slowest", slowest, strings.Join(texts, ", ")},
	}
}

// cost is what the initialisation of one package takes.
type cost struct {
	Package string  `json:"package"`
	MS      float64 `json:"ms"`
}

// startCost times a process from its start to its first result.
func startCost(ctx context.Context) Row {
	const rounds = 5
	var took []time.Duration
	for range rounds {
		began := time.Now()
		h, err := process.Start(ctx, process.Config{}, ready, struct{}{})
		if err == nil {
			_, err = h.Result(ctx)
		}
		took = append(took, time.Since(began))
		if err == nil {
			_, err = h.Wait(ctx) // its end is no part of the start, and must not disturb the next
		}
		if err != nil {
			return Row{"process", nil, "cannot be started: " + err.Error()}
		}
	}
	slices.Sort(took)
	ms := float64(took[rounds/2].Microseconds()) / 1000
	return Row{"process", ms, fmt.Sprintf("%.1f ms from its start to its first result", ms)}
}
