package course_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/course"
)

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "ab": 2, "子进程": 6, "子进程0结束...耗时2.00": 22, "多任务?": 7, "多任务？": 8} {
		if got := course.Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
	for s, want := range map[string]rune{"plain 中文，": 0, "a → b": '→', "“x”": '“', "1 µs": 'µ'} {
		if got := course.Ambiguous(s); got != want {
			t.Errorf("Ambiguous(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s     string
		width int
		want  string
	}{
		{"short", 5, "short"},
		{"a longer one", 8, "a long.."},
		{"父进程启动...", 13, "父进程启动..."},
		{"父进程启动...", 9, "父进程.."},
		{"父进程启动...", 8, "父进程.."},
		{"word word", 7, "word.."},
	} {
		if got := course.Cut(c.s, c.width); got != c.want || course.Width(got) > c.width {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.s, c.width, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		name, s string
		width   int
		want    []string
	}{
		{"nothing", "", 10, nil},
		{"fits", "one two", 7, []string{"one two"}},
		{"at spaces", "one two three", 8, []string{"one two", "three"}},
		{"a long word goes on", "a incomprehensible b", 6, []string{"a", "incomp", "rehens", "ible b"}},
		{"Han anywhere", "父进程等待子进程", 6, []string{"父进程", "等待子", "进程"}},
		{"punctuation stays with its word", "父进程，等待", 6, []string{"父进", "程，等", "待"}},
		{"mixed", "用 join 等待子进程", 9, []string{"用 join", "等待子进", "程"}},
	} {
		if got := course.Wrap(c.s, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%s: Wrap(%q, %d) = %q, want %q", c.name, c.s, c.width, got, c.want)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		name string
		all  []course.Interval
		want int
	}{
		{"none", nil, 0},
		{"one", []course.Interval{{0, 10}}, 1},
		{"touching", []course.Interval{{0, 10}, {10, 20}}, 1},
		{"crossing", []course.Interval{{0, 10}, {9, 20}}, 2},
		{"three at one instant", []course.Interval{{0, 10}, {5, 20}, {8, 9}}, 3},
		{"empty ones do not count", []course.Interval{{5, 5}, {0, 10}}, 1},
	} {
		if got := course.Overlap(c.all); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// TestRowsNeverInventOverlap: tasks on one core that switch many times within
// each column are still drawn as one at a time.
func TestRowsNeverInventOverlap(t *testing.T) {
	l := course.Lanes{Lanes: make([]course.Lane, 3)}
	for i := range l.Lanes {
		l.Lanes[i] = course.Lane{Name: "task", Start: 0, End: 3000}
	}
	for at := int64(0); at < 3000; at++ {
		lane := &l.Lanes[at%3]
		lane.Runs = append(lane.Runs, course.Interval{From: at, To: at + 1})
	}
	rows := l.Rows(40)
	if len(rows) != 3 {
		t.Fatalf("got %d rows, want 3:\n%s", len(rows), strings.Join(rows, "\n"))
	}
	for c := range rows[0] {
		n := 0
		for _, row := range rows {
			if row[c] == '#' {
				n++
			}
		}
		if n > 1 {
			t.Errorf("column %d has %d running:\n%s", c, n, strings.Join(rows, "\n"))
		}
	}
	if n := strings.Count(strings.Join(rows, ""), "#"); n != 40-len("task ||") {
		t.Errorf("%d columns are drawn as running; the core was never idle:\n%s", n, strings.Join(rows, "\n"))
	}
}

func TestRows(t *testing.T) {
	l := course.Lanes{Marks: true, Lanes: []course.Lane{
		{Name: "w1", Start: 0, End: 10, Runs: []course.Interval{{0, 5}, {5, 10}}},
		{Name: "w2", Start: 2, End: 8, Runs: []course.Interval{{4, 8}}},
	}}
	want := []string{"w1 |#####|####|", "w2 |  ..####  |"}
	if got := l.Rows(15); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	l.Max = 1
	if got := l.Rows(15); !slices.Equal(got, []string{" +2"}) {
		t.Errorf("with room for one row: %q, want the count of all", got)
	}
	if got := (&course.Lanes{}).Rows(40); got != nil {
		t.Errorf("no lanes draw %q", got)
	}
}

func TestLinesKeepsWholeLines(t *testing.T) {
	var got []course.Text
	w := course.Lines(func(line course.Text) { got = append(got, line) })
	for _, piece := range []string{"a", "b\tc\nd", "\ne\n\nrest"} {
		if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("Write(%q) = %d, %v", piece, n, err)
		}
	}
	want := []course.Text{{En: "ab", Zh: "c"}, {En: "d"}, {En: "e"}, {}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlay(t *testing.T) {
	broken := errors.New("no disk")
	for _, c := range []struct {
		name       string
		run        func(*course.Stage) error
		ok, failed bool
		skipped    string
	}{
		{"holds", func(s *course.Stage) error { s.Law(true, "x", "x"); return nil }, true, false, ""},
		{"does not hold", func(s *course.Stage) error { s.Law(true, "x", "x"); s.Law(false, "x", "x"); return nil }, false, true, ""},
		{"cannot be shown", func(s *course.Stage) error { s.Skip("one core", "单核"); return nil }, false, false, "one core"},
		{"in part", func(s *course.Stage) error { s.Law(true, "x", "x"); s.Skip("one core", "单核"); return nil }, true, false, "one core"},
		{"a broken law hides no skip", func(s *course.Stage) error { s.Law(false, "x", "x"); s.Skip("one core", "单核"); return nil }, false, true, ""},
		{"judges nothing", func(*course.Stage) error { return nil }, false, true, ""},
		{"breaks off", func(s *course.Stage) error { s.Law(true, "x", "x"); return broken }, false, true, ""},
		{"needs another system", func(*course.Stage) error { return fmt.Errorf("no processes: %w", errors.ErrUnsupported) }, false, false, "not on this system: no processes: unsupported operation"},
		{"panics", func(s *course.Stage) error { s.Law(true, "x", "x"); panic("no") }, false, true, ""},
	} {
		l := &course.Lesson{ID: "L99", Title: course.Text{En: "t", Zh: "题"}, Run: func(_ context.Context, s *course.Stage) error { return c.run(s) }}
		r := l.Play(context.Background(), nil)
		if r.OK() != c.ok || r.Failed() != c.failed {
			t.Errorf("%s: ok %t, failed %t, want %t, %t", c.name, r.OK(), r.Failed(), c.ok, c.failed)
		}
		var got struct {
			OK      bool
			Skipped string
		}
		if line, err := r.JSON(course.En); err != nil || json.Unmarshal(line, &got) != nil || got.OK != c.ok || got.Skipped != c.skipped {
			t.Errorf("%s: %s (%v), want ok %t, skipped %q", c.name, line, err, c.ok, c.skipped)
		}
	}
}

// TestResultIsFinal: a goroutine that a lesson left behind changes nothing of a
// result that was handed out.
func TestResultIsFinal(t *testing.T) {
	var stage *course.Stage
	shown := 0
	l := &course.Lesson{Run: func(_ context.Context, s *course.Stage) error {
		stage = s
		s.Law(true, "x", "x")
		s.Sayf("in time")
		return nil
	}}
	r := l.Play(context.Background(), func(course.Item) { shown++ })
	stage.Sayf("late")
	stage.Fact("late", 1)
	stage.Law(false, "late", "late")
	if len(r.Output) != 1 || len(r.Laws) != 1 || shown != 1 || r.Failed() {
		t.Errorf("the result changed: %+v, shown %d", r, shown)
	}
}

func TestJSONShape(t *testing.T) {
	l := &course.Lesson{ID: "L05", Heading: "全局变量", Title: course.Text{En: "globals <&>", Zh: "题"}, Run: func(_ context.Context, s *course.Stage) error {
		s.Fact("zebra", 1)
		s.Fact("ant", []string{"a"})
		s.Fact("zebra", 2)
		s.Law(true, "x", "x")
		return nil
	}}
	r := l.Play(context.Background(), nil)
	r.Took = 123 * time.Millisecond
	got, err := r.JSON(course.En)
	want := `{"id":"L05","heading":"全局变量","title":"globals <&>","ok":true,"skipped":"","facts":{"zebra":2,"ant":["a"]},"ms":123}`
	if string(got) != want || err != nil {
		t.Errorf("got  %s %v\nwant %s", got, err, want)
	}
	r.Facts.Set("no", make(chan int))
	if _, err := r.JSON(course.En); err == nil || !strings.Contains(err.Error(), "fact no") {
		t.Errorf("a fact that is no JSON: %v, want its name", err)
	}
}
