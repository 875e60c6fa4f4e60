//go:build linux

package main

import (
	"encoding/csv"
	"encoding/xml"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// leaks are what a library could forget, a little of it at a time; and how the
// judgement calls it.
var leaks = map[string]struct {
	leak func(t *testing.T)
	of   []string
}{
	"nothing": {func(*testing.T) {}, nil},
	"files": {func(t *testing.T) {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { f.Close() })
	}, []string{"descriptors"}},
	"goroutines": {func(t *testing.T) {
		for range 10 {
			go func() { <-t.Context().Done() }()
		}
	}, []string{"goroutines"}},
	"memory": {func(t *testing.T) {
		b := make([]byte, 4<<20)
		for i := range b {
			b[i] = byte(i)
		}
		t.Cleanup(func() { b[0] = 1 })
	}, []string{"heap alive", "memory of the tree", "resident memory"}},
}

// TestLeakIsSeen: the samples of a process that leaks are judged to grow, by what
// it leaks and by nothing else, and those of one that does not leak are not.
func TestLeakIsSeen(t *testing.T) {
	for name, c := range leaks {
		t.Run(name, func(t *testing.T) {
			var table strings.Builder
			r := newRecorder(10*time.Millisecond, func() int64 { return 0 }, &table)
			for begin := time.Now(); len(r.samples) < 60; {
				c.leak(t)
				s := sample{held: holdings(), at: time.Since(begin)}
				s.processes, s.memory = tree()
				r.keep(s)
			}
			j := &judge{out: io.Discard}
			j.bounded(trends(r.samples), true)
			var of []string
			for _, what := range j.verdict() {
				name, _, _ := strings.Cut(what, " grows")
				of = append(of, name)
			}
			if raceBuild && name == "memory" { // a share of the detector's own memory is more than the leak
				of, c.of = slices.DeleteFunc(of, func(name string) bool { return name != "heap alive" }), []string{"heap alive"}
			}
			if slices.Sort(of); !slices.Equal(of, c.of) {
				t.Errorf("grows: %q, want %q", of, c.of)
				writeTrends(t.Output(), trends(r.samples))
			}
			rows, err := csv.NewReader(strings.NewReader(table.String())).ReadAll()
			if err != nil || len(rows) != 61 || len(rows[0]) != 1+len(measures)+len(names) {
				t.Errorf("the table has %d rows, %v", len(rows), err)
			}
		})
	}
}

// noisy is a run of so many samples, with the noise that the pools' load makes.
func noisy(seed uint64, count int, leak float64) (list []sample) {
	r := rand.New(rand.NewPCG(seed, 9))
	for n := range count {
		s := sample{at: time.Duration(n+1) * time.Second, made: make([]int, len(names))}
		round := float64(n/4*7919%23) / 23 // for some seconds the load is the same
		s.held.heap = 15 + 20*round + 10*r.Float64()
		s.held.resident = 40 + s.held.heap + leak*float64(n)/float64(count)
		s.held.descriptors = 90 + r.IntN(30)
		s.held.goroutines = 50 + int(100*round)
		if r.IntN(10) == 0 { // a burst is no leak
			s.held.heap *= 3
			s.held.descriptors *= 2
		}
		s.memory, s.processes = 150+60*r.Float64(), 9+r.IntN(3)
		s.made[r.IntN(len(names))]++
		list = append(list, s)
	}
	return list
}

// TestNoise: a run without a leak is not blamed, and what leaks slowly is found in half
// an hour.
func TestNoise(t *testing.T) {
	grown := func(samples []sample) (list []string) {
		for _, tr := range trends(samples) {
			if tr.grows() {
				list = append(list, tr.name)
			}
		}
		return list
	}
	for seed := range uint64(100) {
		for _, count := range []int{60, 120, 1800} {
			if list := grown(noisy(seed, count, 0)); list != nil {
				t.Errorf("seed %d, %d samples without a leak: %q grow", seed, count, list)
			}
		}
		if list := grown(noisy(seed, 1800, 120)); !slices.Equal(list, []string{"resident memory"}) {
			t.Errorf("seed %d, 120 MB leaked in half an hour: %q grow", seed, list)
		}
	}
	if trends(noisy(1, fewest-1, 0)) != nil {
		t.Errorf("%d samples are judged", fewest-1)
	}
}

// TestPlot: the picture is well-formed, names all that was measured and done, and a day of
// samples makes it no larger than a screen holds.
func TestPlot(t *testing.T) {
	for _, count := range []int{0, 1, 20, 120, 86_400} {
		samples := noisy(1, count, 0)
		text := plot("a < b", samples, trends(samples))
		var words []string
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%d samples: %v", count, err)
			}
			if data, ok := token.(xml.CharData); ok {
				words = append(words, string(data))
			}
		}
		wanted := []string{"a < b"}
		if count > 0 {
			wanted = append(wanted, names...)
			for _, m := range measures {
				wanted = append(wanted, m.name)
			}
		}
		for _, word := range wanted {
			if !slices.Contains(words, word) {
				t.Errorf("the picture of %d samples does not say %q", count, word)
			}
		}
		if len(text) > 1<<20 || strings.Contains(text, "NaN") {
			t.Errorf("the picture of %d samples has %d bytes; NaN: %v", count, len(text), strings.Contains(text, "NaN"))
		}
	}
}
