// Package svg writes pictures of measurements by hand: no script, no font but the
// reader's own. It belongs to the programs beside the library, which links nothing of it.
package svg

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

const font = `font-family="system-ui,sans-serif" font-size="12"`

// Canvas collects the elements of a picture. The zero Canvas is empty. It must not be
// copied, and is not safe for concurrent use.
type Canvas struct{ strings.Builder }

// Add formats one element.
func (c *Canvas) Add(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// Text writes s at a place; anchor is start, middle or end, style any attributes.
func (c *Canvas) Text(x, y float64, anchor, style, s string) {
	c.Add(`<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`, x, y, anchor, style, html.EscapeString(s))
}

// Line draws a straight line; style is any attributes.
func (c *Canvas) Line(x1, y1, x2, y2 float64, style string) {
	c.Add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`, x1, y1, x2, y2, style)
}

// Document is the file. Without a style sheet the ground is white and the text dark, so
// that it can be read on a dark page too. A style sheet may give the classes ground and
// ink other colours, as for who has a dark screen.
func (c *Canvas) Document(width, height float64, title, style string) string {
	if style != "" {
		style = "<style>\n" + style + "</style>\n"
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" %s fill="#222" class="ink" role="img">`,
		width, height, width, height, font) + "\n" +
		"<title>" + html.EscapeString(title) + "</title>\n" + style +
		`<rect class="ground" width="100%" height="100%" fill="#fff"/>` + "\n" + c.String() + "</svg>\n"
}

// Axis maps values to a stretch of the picture.
type Axis struct {
	From, To float64 // in the picture
	Low, Top float64 // values
	Step     float64 // between ticks, of a linear axis
	Log      bool
}

// LogAxis spans the powers of ten around the values, of which there must be one.
func LogAxis(from, to float64, values []float64) Axis {
	low, top := slices.Min(values), slices.Max(values)
	return Axis{From: from, To: to, Low: math.Pow(10, math.Floor(math.Log10(low))), Top: math.Pow(10, math.Ceil(math.Log10(top*1.0001))), Log: true}
}

// LinearAxis begins at 0 and spans most; at about so many ticks, at round values.
func LinearAxis(from, to, most float64, ticks int) Axis {
	if !(most > 0) {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most/float64(ticks))))
	for _, times := range []float64{1, 2, 5, 10} {
		if step*times*float64(ticks) >= most {
			step *= times
			break
		}
	}
	return Axis{From: from, To: to, Top: math.Ceil(most/step-1e-9) * step, Step: step}
}

// At is where v lies in the picture.
func (a Axis) At(v float64) float64 {
	part := (v - a.Low) / (a.Top - a.Low)
	if a.Log {
		part = math.Log(v/a.Low) / math.Log(a.Top/a.Low)
	}
	return a.From + part*(a.To-a.From)
}

// Ticks are the values that a reader wants to see named.
func (a Axis) Ticks() (list []float64) {
	if a.Log {
		for v := a.Low; v <= a.Top*1.001; v *= 10 {
			list = append(list, v)
		}
		return list
	}
	for n := 0; a.Low+float64(n)*a.Step <= a.Top+a.Step/1000; n++ {
		list = append(list, a.Low+float64(n)*a.Step)
	}
	return list
}
