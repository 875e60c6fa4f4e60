package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/svg"
)

const (
	plotWidth  = 820.0
	gridStyle  = `stroke="#ddd"`
	titleStyle = `font-size="15" font-weight="600"`
)

var palette = []string{
	"#c2185b", "#1565c0", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f", "#795548", "#9e9d24", "#455a64", "#00b8d4", "#f06292", "#7cb342",
}

// plots draws all pictures, by file name.
func (r Report) plots() map[string]string {
	files, order := map[string]string{}, r.order()
	for _, s := range sections {
		results := r.pick(s.measure)
		for _, p := range s.plots {
			if list := filter(results, p.of); len(list) > 0 {
				files[p.file+".svg"] = p.draw(list, order)
			}
		}
	}
	return files
}

func (p plotOf) draw(results []Result, order []string) string {
	var rows []row
	var series []string
	unit := results[0].Unit
	for _, r := range results {
		if p.series != nil && !slices.Contains(series, p.series(r)) {
			series = append(series, p.series(r))
		}
	}
	for _, name := range order {
		one := row{name: name}
		if p.series != nil {
			one.points = make([]point, len(series))
		}
		for _, r := range results {
			switch {
			case r.Contender != name:
			case p.series != nil:
				one.points[slices.Index(series, p.series(r))] = point{y: r.Median, p99: r.P99, mean: r.Mean}
			default:
				one.points = append(one.points, point{x: r.X, y: r.Median})
			}
		}
		if slices.ContainsFunc(one.points, func(p point) bool { return p.y > 0 }) {
			rows = append(rows, one)
		}
	}
	if p.series != nil {
		return dotPlot(p.title, unit, series, rows)
	}
	return linePlot(p.title, p.xUnit, unit, p.linearTop, rows)
}

// point is a figure of a plot. P99 and mean are drawn where they are not zero.
type point struct{ x, y, p99, mean float64 }

// row is a line of dots, one for each series, or a curve.
type row struct {
	name   string
	points []point // of dots: one for each series, y zero where there is none
}

// dotPlot draws one line for each row, on it a dot for each series, with a line
// to its p99 and a tick at its mean, over a logarithmic axis.
func dotPlot(title, unit string, series []string, rows []row) string {
	var c svg.Canvas
	var values []float64
	for _, r := range rows {
		for _, p := range r.points {
			for _, v := range []float64{p.y, p.p99, p.mean} {
				if v > 0 {
					values = append(values, v)
				}
			}
		}
	}
	if len(values) == 0 {
		return c.Document(plotWidth, 40, title, "")
	}
	const left, top = 175.0, 62.0
	step := 10 + 8*float64(len(series))
	bottom := top + step*float64(len(rows))
	x := svg.LogAxis(left, plotWidth-30, values)
	c.Text(12, 22, "start", titleStyle, title)
	for i, name := range series {
		at := left + 150*float64(i)
		c.Add(`<circle cx="%.1f" cy="42" r="4.5" fill="%s"/>`, at, palette[i%len(palette)])
		c.Text(at+10, 46, "start", "", name)
	}
	for _, v := range x.Ticks() {
		c.Line(x.At(v), top-4, x.At(v), bottom, gridStyle)
		c.Text(x.At(v), bottom+16, "middle", "", human(v, unit))
	}
	for i, r := range rows {
		y := top + step*float64(i)
		if i%2 == 0 {
			c.Add(`<rect x="0" y="%.1f" width="%.0f" height="%.1f" fill="#000" opacity="0.03"/>`, y, plotWidth, step)
		}
		style := ""
		if strings.HasPrefix(r.name, "tandem") {
			style = `font-weight="600"`
		}
		c.Text(left-10, y+step/2+4, "end", style, r.name)
		for k, p := range r.points {
			if p.y <= 0 {
				continue
			}
			colour, at := palette[k%len(palette)], y+9+8*float64(k)
			if p.p99 > p.y {
				c.Line(x.At(p.y), at, x.At(p.p99), at, fmt.Sprintf(`stroke="%s" stroke-width="1.5" opacity="0.6"`, colour))
			}
			if p.mean > 0 {
				c.Line(x.At(p.mean), at-4, x.At(p.mean), at+4, fmt.Sprintf(`stroke="%s" stroke-width="1.5"`, colour))
			}
			c.Add(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`, x.At(p.y), at, colour)
		}
	}
	return c.Document(plotWidth, bottom+26, title, "")
}

// linePlot draws a curve for each row, named at its right end. The x axis is
// logarithmic; the y axis is, unless linearTop says where it ends.
func linePlot(title, xUnit, yUnit string, linearTop float64, rows []row) string {
	var c svg.Canvas
	var xs, ys []float64
	for _, r := range rows {
		for _, p := range r.points {
			xs, ys = append(xs, p.x), append(ys, p.y)
		}
	}
	if len(xs) == 0 {
		return c.Document(plotWidth, 40, title, "")
	}
	const left, right, top, bottom = 75.0, plotWidth - 175, 40.0, 420.0
	x := svg.Axis{From: left, To: right, Low: slices.Min(xs), Top: slices.Max(xs), Log: true}
	y := svg.Axis{From: bottom, To: top, Top: linearTop, Step: 0.5}
	if linearTop == 0 {
		y = svg.LogAxis(bottom, top, ys)
	}
	c.Text(12, 22, "start", titleStyle, title)
	for _, v := range y.Ticks() {
		c.Line(left, y.At(v), right, y.At(v), gridStyle)
		c.Text(left-8, y.At(v)+4, "end", "", human(v, yUnit))
	}
	slices.Sort(xs)
	for _, v := range slices.Compact(xs) {
		c.Line(x.At(v), top, x.At(v), bottom, gridStyle)
		c.Text(x.At(v), bottom+16, "middle", "", human(v, xUnit))
	}
	ends := make([]float64, len(rows))
	for i, r := range rows {
		style := fmt.Sprintf(`fill="none" stroke="%s" stroke-width="%s" stroke-dasharray="%s"`, palette[i%len(palette)], thickness(r.name), dash(i))
		var path []string
		for _, p := range r.points {
			path = append(path, fmt.Sprintf("%.1f,%.1f", x.At(p.x), y.At(p.y)))
			c.Add(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x.At(p.x), y.At(p.y), palette[i%len(palette)])
		}
		c.Add(`<polyline points="%s" %s/>`, strings.Join(path, " "), style)
		ends[i] = y.At(r.points[len(r.points)-1].y)
	}
	for i, at := range spread(ends, 14, top+6, bottom) {
		colour, last := palette[i%len(palette)], rows[i].points[len(rows[i].points)-1]
		c.Line(x.At(last.x)+5, ends[i], right+14, at, fmt.Sprintf(`stroke="%s" opacity="0.4"`, colour))
		weight := ""
		if thickness(rows[i].name) == "3" {
			weight = ` font-weight="600"`
		}
		c.Text(right+18, at+4, "start", fmt.Sprintf(`fill="%s"%s`, colour, weight), rows[i].name)
	}
	return c.Document(plotWidth, bottom+28, title, "")
}

func thickness(name string) string {
	if name == "tandem" {
		return "3"
	}
	return "1.5"
}

// dash tells apart what has the same colour.
func dash(i int) string {
	if i < len(palette) {
		return "none"
	}
	return "5 3"
}

// spread moves labels apart that would overlap: each at least gap below the one
// above, in the order of their heights, none beyond the ends if there is room.
func spread(heights []float64, gap, top, bottom float64) []float64 {
	order := make([]int, len(heights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(heights[a], heights[b]) })
	out := slices.Clone(heights)
	at := top
	for _, i := range order {
		out[i] = math.Max(out[i], at)
		at = out[i] + gap
	}
	at = bottom
	for _, i := range slices.Backward(order) {
		out[i] = math.Min(out[i], at)
		at = out[i] - gap
	}
	return out
}
