//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// prepared finds and builds the tools once for all tests.
var prepared = sync.OnceValues(func() (found struct {
	tools
	remove func()
}, err error) {
	found.tools, found.remove, err = prepare("", io.Discard)
	return found, err
})

func toolsFor(t *testing.T) tools {
	t.Helper()
	p, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("go"); err == nil && p.NoRivals+p.NoLocals+p.NoSmall != "" {
		t.Fatal(p.NoRivals, p.NoLocals, p.NoSmall)
	}
	return p.tools
}

// few is an order that asks for little, and what must come of it.
var few = map[string]struct {
	drive.Order
	workers int
	good    func(drive.Reply) bool
}{
	drive.Echo:    {drive.Order{N: 3}, 1, func(r drive.Reply) bool { return len(r.Samples) == 3 && slices.Min(r.Samples) >= 0 }},
	drive.Record:  {drive.Order{N: 3}, 1, func(r drive.Reply) bool { return len(r.Samples) == 3 && slices.Min(r.Samples) >= 0 }},
	drive.Calls:   {drive.Order{Callers: 3, Nanos: 5e6}, 2, func(r drive.Reply) bool { return r.Count > 0 && r.Nanos > 0 }},
	drive.Map:     {drive.Order{N: 20, Turns: 3}, 2, func(r drive.Reply) bool { return r.Nanos > 0 }},
	drive.Serial:  {drive.Order{N: 20, Turns: 3}, 2, func(r drive.Reply) bool { return r.Nanos > 0 }},
	drive.Payload: {drive.Order{N: 2, Size: 100_000}, 1, func(r drive.Reply) bool { return len(r.Samples) == 2 }},
	drive.Standby: {drive.Order{N: 2, Nanos: 1}, 0, func(r drive.Reply) bool { return len(r.Samples) == 2 && r.Samples[1] > 0 }},
	drive.Start:   {drive.Order{N: 1}, 0, func(r drive.Reply) bool { return len(r.Samples) == 1 && r.Joins[0] > r.Samples[0] }},
	drive.Crowd:   {drive.Order{N: 2}, 0, func(r drive.Reply) bool { return r.Nanos > 0 }},
	drive.Lock:    {drive.Order{N: 100, Callers: 1}, 0, func(r drive.Reply) bool { return r.Nanos > 0 }},
	drive.Codec:   {drive.Order{N: 10}, 0, func(r drive.Reply) bool { return r.Nanos > 0 }},
	drive.Allocs:  {drive.Order{N: 10, Of: drive.Echo}, 1, func(r drive.Reply) bool { return r.Theirs == nil || *r.Theirs > 0 }},
	drive.Collect: {drive.Order{N: 3, Of: gcThereSpins}, 0, func(r drive.Reply) bool { return len(r.Samples) == 3 && slices.Min(r.Samples) > 0 }},
}

// TestContenders: each can do what it says.
func TestContenders(t *testing.T) {
	for _, c := range contenders {
		t.Run(c.name, func(t *testing.T) {
			tools := toolsFor(t)
			if m := c.missing(tools); m != "" {
				t.Skip(m)
			}
			for _, order := range c.can {
				want := few[order]
				s, err := c.open(tools, want.workers)
				if err != nil {
					t.Fatalf("%s: open: %v", order, err)
				}
				o := want.Order
				o.Do = order
				if r, err := s.Do(o); err != nil || !want.good(r) {
					t.Errorf("%s: %+v, %v", order, r, err)
				}
				if order == drive.Crowd {
					if found := descendants(s.PID()); len(found) < o.N {
						t.Errorf("%d processes for %d workers", len(found), o.N)
					}
					if _, err := s.Do(drive.Order{Do: drive.Disperse}); err != nil {
						t.Errorf("disperse: %v", err)
					}
				}
				if err := s.Close(); err != nil {
					t.Errorf("%s: close: %v", order, err)
				}
			}
		})
	}
}

// TestRun: every measure in every placement gives a figure to each contender
// that takes part, and the report shows them.
func TestRun(t *testing.T) {
	only := []string{"tandem", "tandem Mutex", "tandem codec", "bare socket", "bare os/exec", "ants"}
	p, err := planned(job{Share: time.Millisecond, Rounds: 1, Largest: 4096, Crowds: []int{2}, Tools: toolsFor(t)}, only)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := p.conduct(t.Context(), io.Discard)
	if err != nil || len(rep.failures()) > 0 {
		t.Fatal(err, rep.failures())
	}
	all, err := cpus()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range measures {
		for _, place := range m.placements {
			found := slices.ContainsFunc(rep.Results, func(r Result) bool {
				return r.Measure == m.name && r.Placement == place && strings.HasPrefix(r.Contender, "tandem") && r.Median > 0 && r.N > 0
			})
			if !found && (place == placeOne || len(all) > 1) {
				t.Errorf("%s, %s: no figure of tandem", m.name, place)
			}
		}
	}
	for _, v := range rep.Goals {
		switch v.Work {
		case "Map of int → int", "Speed-up on 2 workers", "Codec, {int, string, []float64(16)}", "Start to the first byte",
			"Allocations of a call", "Delay of a garbage collection, median":
			if rival := strings.Contains(v.Figure, "Pool"); v.State == stateNone && !rival && len(all) > 1 {
				t.Errorf("no measure gives what the goal %q, %q asks for", v.Work, v.Figure)
			}
		}
	}
	page, plots := rep.Markdown(true), rep.plots()
	for _, s := range sections {
		if !strings.Contains(page, "## "+s.title) {
			t.Errorf("the page has no section %q", s.title)
		}
	}
	for name := range plots {
		if !strings.Contains(page, "("+name+")") {
			t.Errorf("the page does not show %s", name)
		}
	}
}

// TestPlanned: names choose, and a wrong one is an error.
func TestPlanned(t *testing.T) {
	p, err := planned(job{}, []string{"map", "tandem"})
	if err != nil || len(p.jobs) != 3 || p.jobs[0].Measure != "map" || !slices.Equal(p.jobs[0].Only, []string{"tandem"}) {
		t.Errorf("map,tandem: %+v, %v", p.jobs, err)
	}
	if _, err := planned(job{}, []string{"mop"}); err == nil {
		t.Error("an unknown name was taken")
	}
}

// TestFailure: what goes wrong in a measuring process is in the report.
func TestFailure(t *testing.T) {
	p := plan{jobs: []job{{Measure: "nothing", Placement: placeOne}}}
	rep, err := p.conduct(t.Context(), io.Discard)
	if f := rep.failures(); err != nil || len(f) != 1 || !strings.Contains(f[0], `no measure "nothing"`) {
		t.Errorf("got %q, %v", f, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := p.conduct(ctx, io.Discard); !errors.Is(err, enough) {
		t.Errorf("a cancelled run ended with %v", err)
	}
}

// TestSeparate: the caller and what it started are on different processors.
func TestSeparate(t *testing.T) {
	all, err := cpus()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 {
		t.Skip("one processor")
	}
	e, err := openEcho()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pids := descendants(e.PID())
	if len(pids) == 0 {
		t.Fatal("no child was found")
	}
	for _, pid := range pids {
		if err := separate(pid, []int{all[1]}); err != nil { // a child without children: itself only
			t.Fatal(err)
		}
		if got := field(string(read("/proc/"+strconv.Itoa(pid)+"/status")), "Cpus_allowed_list"); got != strconv.Itoa(all[1]) {
			t.Errorf("the child may run on %s, want %d", got, all[1])
		}
	}
}
