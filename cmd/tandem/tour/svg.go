package tour

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/tandem-go/tandem/course"
)

// The measures of a picture, in its own units.
const (
	laneHeight = 18
	barHeight  = 12
	caption    = 24
	nameWidth  = 76
	barsWidth  = 600
	svgWidth   = nameWidth + barsWidth + 8
)

// svgStyle follows the reader's light or dark setting, also where the picture
// is only an image on somebody's page.
const svgStyle = `<style>
.lanes text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#24292f}
.lanes .run{fill:#2da44e}.lanes .wait{fill:#d0d7de}.lanes .edge{stroke:#fff;stroke-width:1}
@media (prefers-color-scheme:dark){.lanes text{fill:#e6edf3}.lanes .run{fill:#3fb950}.lanes .wait{fill:#484f58}.lanes .edge{stroke:#0d1117}}
</style>
`

// WriteSVG draws all pictures of lanes of a run, one below the other, as one
// SVG file. It is an error if the lessons drew none.
func WriteSVG(w io.Writer, results []*course.Result, lang course.Lang) error {
	var b bytes.Buffer
	y := 0
	for _, r := range results {
		for _, it := range r.Output {
			if it.Lanes != nil {
				y = drawLanes(&b, it, lang, y)
			}
		}
	}
	if y == 0 {
		return errors.New("tandem: tour: these lessons drew no lanes, so there is no picture; L01, L06 and L12 draw some")
	}
	var ids []string
	for _, r := range results {
		ids = append(ids, r.Lesson.ID)
	}
	_, err := fmt.Fprintf(w, "%s<desc>made by: tandem tour --svg FILE %s</desc>\n%s%s</svg>\n", openSVG(y), strings.Join(ids, " "), svgStyle, b.Bytes())
	return err
}

func openSVG(height int) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" class="lanes" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", svgWidth, height, svgWidth, height)
}

// drawLanes draws one picture at height y and returns where it ends. The grey
// bar is a lane's whole life, the green ones are when it ran: what stays grey
// is waiting.
func drawLanes(b *bytes.Buffer, it course.Item, lang course.Lang, y int) int {
	span := it.Lanes.Span()
	x := func(at int64) float64 {
		return nameWidth + barsWidth*float64(at-span.From)/float64(max(1, span.Len().Nanoseconds()))
	}
	bar := func(class string, from, to int64) {
		fmt.Fprintf(b, `<rect class="%s" x="%.2f" y="%d" width="%.2f" height="%d"/>`, class, x(from), y+(laneHeight-barHeight)/2, x(to)-x(from), barHeight)
	}
	if text := it.Text.In(lang); text != "" {
		fmt.Fprintf(b, `<text x="0" y="%d">%s</text>`+"\n", y+caption-7, html.EscapeString(text))
		y += caption
	}
	for _, lane := range it.Lanes.Shown() {
		fmt.Fprintf(b, `<text x="0" y="%d">%s</text>`, y+laneHeight-5, html.EscapeString(lane.Name))
		bar("wait", lane.Start, lane.End)
		for _, run := range visible(lane.Runs, span, it.Lanes.Marks) {
			class := "run"
			if it.Lanes.Marks {
				class = "run edge"
			}
			bar(class, run.From, run.To)
		}
		b.WriteByte('\n')
		y += laneHeight
	}
	if more := len(it.Lanes.Lanes) - len(it.Lanes.Shown()); more > 0 {
		fmt.Fprintf(b, `<text x="0" y="%d">+%d</text>`+"\n", y+laneHeight-5, more)
		y += laneHeight
	}
	return y + 6
}

// visible joins runs with gaps between them that are too narrow to be seen;
// where each run has an edge, all of them count.
func visible(runs []course.Interval, span course.Interval, edges bool) (list []course.Interval) {
	gap := span.Len().Nanoseconds() * 2 / (5 * barsWidth) // two fifths of a unit
	for _, r := range runs {
		last := len(list) - 1
		if !edges && last >= 0 && r.From-list[last].To < gap {
			list[last].To = r.To
			continue
		}
		list = append(list, r)
	}
	return list
}
