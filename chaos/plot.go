//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem/internal/svg"
)

// The measures of the picture.
const (
	plotWidth   = 1000.0
	plotLeft    = 190.0 // of all curves; names and axes stand before it
	plotRight   = 880.0 // figures stand behind it
	panelHeight = 74.0
	panelGap    = 16.0
	markHeight  = 11.0
)

// plotStyle follows the reader's light or dark setting. The curve is the median of the
// samples that share a column, the band their least and most.
const plotStyle = `.ground{fill:#fff}.ink{fill:#1f2328}.faint{fill:#59636e}
.grid{stroke:#d1d9e0}.warm{fill:#818b98;opacity:.12}
.curve{stroke:#0969da;fill:none;stroke-width:1.4}.band{fill:#0969da;opacity:.22}
.fifth{stroke:#bc4c00;stroke-width:3}.allowed{stroke:#bc4c00;stroke-dasharray:5 3;stroke-width:1.5}
.mark{stroke:#8250df;stroke-width:1}
@media (prefers-color-scheme:dark){.ground{fill:#0d1117}.ink{fill:#f0f6fc}.faint{fill:#9198a1}
.grid{stroke:#30363d}.warm{fill:#9198a1;opacity:.15}
.curve{stroke:#58a6ff}.band{fill:#58a6ff;opacity:.3}
.fifth{stroke:#f0883e}.allowed{stroke:#f0883e}.mark{stroke:#bc8cff}}
`

// plot draws a panel for each measure over one axis of time, and below them a line for
// each kind of disturbance with a mark where there was one.
func plot(title string, samples []sample, list []trend) string {
	var c svg.Canvas
	if len(samples) == 0 {
		return c.Document(plotWidth, 40, title, plotStyle)
	}
	c.Text(12, 24, "start", `font-size="15" font-weight="600"`, title)
	length := samples[len(samples)-1].at
	unit, name := timeUnit(length)
	x := svg.LinearAxis(plotLeft, plotRight, float64(length)/float64(unit), 10)
	x.Top = float64(length) / float64(unit) // up to the last sample
	p := picture{&c, samples, x, unit}
	y := 44.0
	for i, m := range measures {
		var t *trend
		if list != nil {
			t = &list[i]
		}
		p.panel(m, t, y)
		y += panelHeight + panelGap
	}
	y = p.marks(y)
	for _, v := range x.Ticks() {
		c.Line(x.At(v), y, x.At(v), y+4, `class="grid"`)
		c.Text(x.At(v), y+17, "middle", `class="faint"`, fmt.Sprint(v))
	}
	c.Text(plotRight+10, y+17, "start", `class="faint"`, name)
	if list != nil {
		p.legend(list, y+40)
		y += 24
	}
	return c.Document(plotWidth, y+28, title, plotStyle)
}

// timeUnit is what a reader counts such a length in.
func timeUnit(length time.Duration) (unit time.Duration, name string) {
	switch {
	case length > 5*time.Hour:
		return time.Hour, "hours"
	case length > 5*time.Minute:
		return time.Minute, "minutes"
	}
	return time.Second, "seconds"
}

// picture is one being drawn.
type picture struct {
	*svg.Canvas
	samples []sample
	time    svg.Axis
	unit    time.Duration
}

func (p picture) x(at time.Duration) float64 { return p.time.At(float64(at) / float64(p.unit)) }

// panel draws one measure; t is how it was judged.
func (p picture) panel(m measure, t *trend, top float64) {
	bottom := top + panelHeight
	var most float64
	for _, s := range p.samples {
		most = max(most, m.of(s))
	}
	high := most
	if t != nil {
		high = max(high, t.allowed)
	}
	y := svg.LinearAxis(bottom, top, high, 2)
	if t != nil && t.early.from > 0 {
		p.Add(`<rect class="warm" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, plotLeft, top, p.x(t.early.from)-plotLeft, panelHeight)
	}
	for _, v := range y.Ticks() {
		p.Line(plotLeft, y.At(v), plotRight, y.At(v), `class="grid"`)
		p.Text(plotLeft-6, y.At(v)+4, "end", `class="faint" font-size="10.5"`, short(v))
	}
	p.Text(12, top+24, "start", `class="ink" font-weight="600"`, m.name)
	p.Text(12, top+40, "start", `class="faint"`, m.unit)
	last := m.of(p.samples[len(p.samples)-1])
	p.Text(plotRight+10, top+24, "start", `class="ink"`, "most "+short(most))
	p.Text(plotRight+10, top+40, "start", `class="ink"`, "end "+short(last))
	p.curve(m, y)
	if t == nil || t.allowed == 0 {
		return
	}
	p.Line(p.x(t.early.from), y.At(t.first), p.x(t.early.to), y.At(t.first), `class="fifth"`)
	p.Line(p.x(t.late.from), y.At(t.last), p.x(t.late.to), y.At(t.last), `class="fifth"`)
	p.Line(p.x(t.late.from), y.At(t.allowed), p.x(t.late.to), y.At(t.allowed), `class="allowed"`)
}

// curve draws no more points than the picture has columns: a day has 86,400 seconds.
func (p picture) curve(m measure, y svg.Axis) {
	var line, above, below []string
	for from := 0; from < len(p.samples); {
		column, to := int(p.x(p.samples[from].at)), from+1
		for to < len(p.samples) && int(p.x(p.samples[to].at)) == column {
			to++
		}
		part := slices.Clone(p.samples[from:to])
		slices.SortFunc(part, func(a, b sample) int { return cmp.Compare(m.of(a), m.of(b)) })
		x := p.x(p.samples[from].at)
		at := func(s sample) string { return fmt.Sprintf("%.1f,%.1f", x, y.At(m.of(s))) }
		line = append(line, at(part[len(part)/2]))
		above = append(above, at(part[len(part)-1]))
		below = append(below, at(part[0]))
		from = to
	}
	slices.Reverse(below)
	p.Add(`<polygon class="band" points="%s"/>`, strings.Join(append(above, below...), " "))
	p.Add(`<polyline class="curve" points="%s"/>`, strings.Join(line, " "))
}

// marks draws the disturbances and returns where they end.
func (p picture) marks(top float64) float64 {
	p.Text(12, top+markHeight, "start", `class="ink" font-weight="600"`, "disturbances")
	for i, name := range names {
		y := top + markHeight*float64(i)
		total, column := 0, -1
		var path strings.Builder
		for _, s := range p.samples {
			total += s.made[i]
			if x := int(2 * p.x(s.at)); s.made[i] > 0 && x > column {
				column = x
				fmt.Fprintf(&path, "M%.1f %.1fv%.1f", p.x(s.at), y+1, markHeight-2)
			}
		}
		p.Text(plotLeft-6, y+markHeight-2, "end", `class="faint" font-size="10.5"`, name)
		p.Text(plotRight+10, y+markHeight-2, "start", `class="faint" font-size="10.5"`, fmt.Sprint(total))
		p.Add(`<path class="mark" d="%s"/>`, path.String())
	}
	bottom := top + markHeight*float64(len(names)) + 4
	p.Line(plotLeft, bottom, plotRight, bottom, `class="grid"`)
	return bottom
}

func (p picture) legend(list []trend, y float64) {
	p.Line(plotLeft, y-4, plotLeft+24, y-4, `class="fifth"`)
	p.Text(plotLeft+30, y, "start", `class="faint"`, "median of the early and the late fifth")
	p.Line(plotLeft+280, y-4, plotLeft+304, y-4, `class="allowed"`)
	p.Text(plotLeft+310, y, "start", `class="faint"`, "what the late one may be")
	p.Add(`<rect class="warm" x="%.1f" y="%.1f" width="24" height="10"/>`, plotLeft+490, y-9)
	p.Text(plotLeft+520, y, "start", `class="faint"`, "warm-up")
}

// short writes a figure with three digits or so.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3g M", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.3g k", v/1e3)
	case v >= 100 || v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}
