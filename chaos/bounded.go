//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// measure is one figure of each sample, and by how much it may grow over a run: a share
// of what it was, some slack, and what chance explains. A leak has no bound, and
// shows in a longer run if not in a short one.
type measure struct {
	name, unit   string
	of           func(sample) float64
	share, slack float64 // both 0: not judged
}

// Of the memory of this process most is what the collector has not yet come to, which
// depends on how much the machine lets it do: half as much in a second more is no leak.
var measures = []measure{
	{"resident memory", "MB", func(s sample) float64 { return s.held.resident }, 0.25, 40},
	{"heap alive", "MB", func(s sample) float64 { return s.held.heap }, 0.25, 16},
	{"descriptors", "files", func(s sample) float64 { return float64(s.held.descriptors) }, 0.1, 12},
	{"goroutines", "", func(s sample) float64 { return float64(s.held.goroutines) }, 0.15, 25},
	{"mapped memfds", "mappings", func(s sample) float64 { return float64(s.held.mappings) }, 0.1, 12},
	{"memory of the tree", "MB", func(s sample) float64 { return s.memory }, 0.15, 32},
	{"processes", "", func(s sample) float64 { return float64(s.processes) }, 0.15, 4},
	{"tasks settled", "per second", func(s sample) float64 { return s.rate }, 0, 0},
}

// trend is how a measure went over a run: the medians of the first and the last fifth of
// what follows the warm-up. A spike moves neither, a leak moves the last.
type trend struct {
	measure
	first, last   float64
	allowed       float64 // of last; 0: anything
	most, end     float64
	early, late   stretch // the two fifths
	hourly, least float64 // growth in an hour; the least that would have been too much
}

// stretch is a part of a run.
type stretch struct{ from, to time.Duration }

// fewest samples for a judgement: less than five in a fifth are chance.
const fewest = 30

// trends needs that many samples at least, and else returns nil. A sixth of the run is
// its warm-up.
func trends(samples []sample) (list []trend) {
	if len(samples) < fewest {
		return nil
	}
	rest := samples[len(samples)/6:]
	early, late := rest[:len(rest)/5], rest[len(rest)-len(rest)/5:]
	span := func(part []sample) stretch { return stretch{part[0].at, part[len(part)-1].at} }
	between := (span(late).from - span(early).from).Hours()
	for _, m := range measures {
		t := trend{measure: m, early: span(early), late: span(late), end: m.of(samples[len(samples)-1])}
		t.first, t.last = median(early, m.of), median(late, m.of)
		for _, s := range samples {
			t.most = max(t.most, m.of(s))
		}
		if m.share+m.slack > 0 {
			t.allowed = t.first*(1+m.share) + m.slack + max(chance(early, m.of), chance(late, m.of))
			t.least = (t.allowed - t.first) / between
		}
		t.hourly = (t.last - t.first) / between
		list = append(list, t)
	}
	return list
}

func median(part []sample, of func(sample) float64) float64 {
	values := make([]float64, len(part))
	for i, s := range part {
		values[i] = of(s)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// chance is how far the median of these samples may lie from that of others of the same
// kind. Neighbours are alike, since a round of the load lasts longer than a sample: some
// five standard errors are not too many.
func chance(part []sample, of func(sample) float64) float64 {
	middle := median(part, of)
	spread := median(part, func(s sample) float64 { return math.Abs(of(s) - middle) })
	return 8 * spread / math.Sqrt(float64(len(part)))
}

// grows reports whether there is more of it at the end than there may be.
func (t trend) grows() bool { return t.allowed > 0 && t.last > t.allowed }

// leastSoak is how long a run must be for its trends to be more than the pools' load of
// the moment.
const leastSoak = time.Minute

// bounded prints the trends, and judges them if they are of a long enough time.
func (j *judge) bounded(list []trend, long bool) {
	writeTrends(j.out, list)
	if list == nil || !long {
		fmt.Fprintf(j.out, "too short to judge what grows: that takes %v, and %d samples\n", leastSoak, fewest)
		return
	}
	for _, t := range list {
		if t.grows() {
			j.violated("%s grows: %.1f, later %.1f, at most %.1f is allowed", t.name, t.first, t.last, t.allowed)
		}
	}
}

func writeTrends(out io.Writer, list []trend) {
	if list == nil {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "median of\tearly fifth\tlate fifth\tallowed\tmost\tgrowth per hour\tseen from\t\n")
	for _, t := range list {
		allowed, least := "", ""
		if t.allowed > 0 {
			allowed, least = fmt.Sprintf("%.1f", t.allowed), fmt.Sprintf("%.0f", t.least)
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%s\t%.1f\t%+.0f\t%s\t %s\n", t.name, t.first, t.last, allowed, t.most, t.hourly, least, t.unit)
	}
	w.Flush()
}
