package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Plots are SVG written by hand: a white ground, so that they can be read on a
// dark page too, no script, no font but the reader's own.

const (
	plotWidth = 820.0
	plotFont  = `font-family="system-ui,sans-serif" font-size="12"`
)

var palette = []string{
	"#c2185b", "#1565c0", "#2e7d32", "#ef6c00", "#6a1b9a", "#00838f", "#795548", "#9e9d24", "#455a64", "#00b8d4", "#f06292", "#7cb342",
}

// canvas collects the elements of a picture.
type canvas struct{ strings.Builder }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

func (c *canvas) text(x, y float64, anchor, style, s string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`, x, y, anchor, style, html.EscapeString(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, style string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`, x1, y1, x2, y2, style)
}

func (c *canvas) document(height float64, title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" %s fill="#222" role="img">`,
		plotWidth, height, plotWidth, height, plotFont) + "\n" +
		"<title>" + html.EscapeString(title) + "</title>\n" +
		`<rect width="100%" height="100%" fill="#fff"/>` + "\n" + c.String() + "</svg>\n"
}

// axis maps values to a stretch of the picture.
type axis struct {
	from, to float64 // in the picture
	low, top float64 // values
	log      bool
}

// logAxis spans the powers of ten around the values.
func logAxis(from, to float64, values []float64) axis {
	low, top := slices.Min(values), slices.Max(values)
	return axis{from, to, math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(top*1.0001))), true}
}

func (a axis) at(v float64) float64 {
	part := (v - a.low) / (a.top - a.low)
	if a.log {
		part = math.Log(v/a.low) / math.Log(a.top/a.low)
	}
	return a.from + part*(a.to-a.from)
}

func (a axis) ticks() (list []float64) {
	if !a.log {
		for v := a.low; v < a.top; v += 0.5 {
			list = append(list, v)
		}
		return list
	}
	for v := a.low; v <= a.top*1.001; v *= 10 {
		list = append(list, v)
	}
	return list
}

const (
	gridStyle  = `stroke="#ddd"`
	titleStyle = `font-size="15" font-weight="600"`
)
