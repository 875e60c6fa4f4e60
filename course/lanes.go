package course

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Lanes is a picture of who ran when: one lane for each task or worker, all
// on one clock.
type Lanes struct {
	Lanes []Lane
	Max   int  // at most so many rows, 0 = all; the last one then counts the rest
	Marks bool // a `|` stands where a run begins right behind another
}

// Lane is one row of the picture. Between its start and its end it runs in
// its intervals and waits in the gaps between them.
type Lane struct {
	Name       string // ASCII, so that columns line up
	Start, End int64  // nanoseconds on the clock of the picture
	Runs       []Interval
}

// Interval is a stretch of time, in nanoseconds on one clock of the machine:
// [time.Time.UnixNano], which all processes share.
type Interval struct{ From, To int64 }

// Len returns the interval's length.
func (i Interval) Len() time.Duration { return time.Duration(i.To - i.From) }

// Ran returns how long the lane ran, Waited how long it was ready but did not.
func (l Lane) Ran() (d time.Duration) {
	for _, r := range l.Runs {
		d += r.Len()
	}
	return d
}

// Waited returns the time between start and end in which the lane did not run.
func (l Lane) Waited() time.Duration { return time.Duration(l.End-l.Start) - l.Ran() }

// Span returns the time from the first start to the last end.
func (l *Lanes) Span() Interval {
	if len(l.Lanes) == 0 {
		return Interval{}
	}
	span := Interval{l.Lanes[0].Start, l.Lanes[0].End}
	for _, lane := range l.Lanes {
		span.From, span.To = min(span.From, lane.Start), max(span.To, lane.End)
	}
	return span
}

// Shown returns the lanes that are drawn. If they are not all, a row less than
// Max is drawn, and the last one is left for the number of the others.
func (l *Lanes) Shown() []Lane {
	if l.Max > 0 && len(l.Lanes) > l.Max {
		return l.Lanes[:l.Max-1]
	}
	return l.Lanes
}

// Overlap returns how many lanes ran at one instant, at most.
func (l *Lanes) Overlap() int {
	var all []Interval
	for _, lane := range l.Lanes {
		all = append(all, lane.Runs...)
	}
	return Overlap(all)
}

// Overlap returns how many of the intervals share an instant, at most.
// Intervals that only touch do not overlap.
func Overlap(all []Interval) int {
	type border struct {
		at    int64
		enter bool
	}
	var borders []border
	for _, i := range all {
		if i.From < i.To {
			borders = append(borders, border{i.From, true}, border{i.To, false})
		}
	}
	slices.SortFunc(borders, func(a, b border) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.enter == b.enter:
			return 0
		case a.enter:
			return 1 // who leaves at this instant leaves first
		}
		return -1
	})
	most, now := 0, 0
	for _, b := range borders {
		if b.enter {
			now++
			most = max(most, now)
		} else {
			now--
		}
	}
	return most
}

// Rows draws the picture as plain rows of at most width columns: `#` runs,
// `.` waits. A column has as many `#` as lanes ran in it on average, and they
// go to those that ran most: lanes that took turns are never both `#`, however
// short their turns were.
func (l *Lanes) Rows(width int) []string {
	name := 0
	for _, lane := range l.Shown() {
		name = max(name, len(lane.Name))
	}
	span, columns := l.Span(), width-name-len(" ||")
	if columns < 1 || span.Len() <= 0 {
		return nil
	}
	running := l.columns(span, columns)
	var rows []string
	for i, lane := range l.Shown() {
		rows = append(rows, fmt.Sprintf("%-*s |%s|", name, lane.Name, l.row(lane, running[i])))
	}
	if more := len(l.Lanes) - len(rows); more > 0 {
		rows = append(rows, fmt.Sprintf("%-*s +%d", name, "", more))
	}
	return rows
}

// column is what one lane does in one column of the picture.
type column struct {
	cell   Interval
	ran    int64
	begins bool // a run begins in it
	shown  bool // it is drawn as running
}

// columns cuts all lanes into columns and chooses who is drawn as running.
func (l *Lanes) columns(span Interval, n int) [][]column {
	at := func(c int) int64 { return span.From + span.Len().Nanoseconds()*int64(c)/int64(n) }
	grid := make([][]column, len(l.Lanes))
	for i, lane := range l.Lanes {
		grid[i] = make([]column, n)
		for c := range grid[i] {
			cell := Interval{at(c), at(c + 1)}
			grid[i][c].cell = cell
			for _, r := range lane.Runs {
				grid[i][c].ran += max(0, min(r.To, cell.To)-max(r.From, cell.From))
				grid[i][c].begins = grid[i][c].begins || r.From >= cell.From && r.From < cell.To
			}
		}
	}
	for c := range n {
		cell := at(c+1) - at(c)
		order := make([]*column, len(grid))
		sum := int64(0)
		for i := range grid {
			order[i] = &grid[i][c]
			sum += order[i].ran
		}
		slices.SortStableFunc(order, func(a, b *column) int { return cmp.Compare(b.ran, a.ran) })
		for i := range (sum + cell/2) / max(1, cell) {
			order[i].shown = true
		}
	}
	return grid
}

func (l *Lanes) row(lane Lane, cells []column) string {
	row := make([]byte, len(cells))
	for c, x := range cells {
		switch middle := (x.cell.From + x.cell.To) / 2; {
		case l.Marks && x.begins && c > 0 && row[c-1] == '#':
			row[c] = '|'
		case x.shown:
			row[c] = '#'
		case middle >= lane.Start && middle < lane.End:
			row[c] = '.'
		default:
			row[c] = ' '
		}
	}
	return string(row)
}
