package tour

import (
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/course"
)

// A screen is at most 20 rows of 80 columns: an old terminal shows it whole,
// with room for a prompt. It has three parts, each printed as soon as it is
// known:
//
//	head  heading, idea, the question
//	body  what the lesson shows, row by row as it happens
//	tail  the laws, and where to go on
const (
	Columns = 80
	Rows    = 20

	indent = "    "
	inner  = Columns - len(indent)
)

// words are what the screens say in both languages.
var words = struct {
	title, change, guess, next, summary, broken, other course.Text
}{
	title:   course.Text{En: "tandem tour: the ways to do several things at once", Zh: "tandem tour: 实现多任务的方式"},
	change:  course.Text{En: "change it: ", Zh: "改一改："},
	guess:   course.Text{En: "Guess first.  Enter: look   a: run on   q: quit", Zh: "先猜一猜。  回车：看结果   a：一直运行   q：退出"},
	next:    course.Text{En: "Enter: go on   a: run on   q: quit", Zh: "回车：继续   a：一直运行   q：退出"},
	summary: course.Text{En: "%d lessons in %.1f s: %d ok, %d broken, %d skipped", Zh: "%d课，%.1f秒：%d个成立，%d个不成立，%d个跳过"},
	broken:  course.Text{En: "the lesson broke off: ", Zh: "这一课中断了："},
	other:   course.Text{En: "(not in the course)", Zh: "(课程之外)"},
}

// Index is the first screen: the ways and the lessons, by the course's own
// headings. Han text stands at the right end, where its width moves nothing.
func Index(lessons []*course.Lesson, lang course.Lang) []string {
	var rows []string
	if lang != course.Zh {
		rows = append(rows, "中文: --lang zh")
	}
	rows = append(rows, words.title.In(lang), "")
	var way course.Way
	for _, l := range lessons {
		number := "  "
		if l.Way != way {
			way = l.Way
			if way.Number > 0 {
				number = fmt.Sprintf("%d ", way.Number)
			}
		}
		heading := l.Heading
		if heading == "" {
			heading = l.Title.Zh + " " + words.other.In(lang)
		}
		row := fmt.Sprintf("%s%s  %-36s %s", number, l.ID, l.Title.En, heading)
		rows = append(rows, course.Cut(row, Columns))
	}
	return append(rows, legend(lessons, lang))
}

// legend says what the numbers of the index are: the course's own list.
func legend(lessons []*course.Lesson, lang course.Lang) (row string) {
	last := 0
	for _, l := range lessons {
		if n := l.Way.Number; n > last {
			row += fmt.Sprintf("%d %s   ", n, l.Way.Name.In(lang))
			last = n
		}
	}
	return strings.TrimRight(row, " ")
}

// head is a lesson's heading, its idea, and the question to guess.
func head(l *course.Lesson, lang course.Lang) []string {
	rows := []string{l.ID + "  " + l.Title.In(lang)}
	switch both := rows[0] + "    " + l.Heading; {
	case l.Heading == "" || l.Heading == l.Title.In(lang):
	case course.Width(both) <= Columns:
		rows[0] = both
	default:
		rows = append(rows, "     "+l.Heading)
	}
	rows = append(rows, hang("     ", l.Idea.In(lang))...)
	rows = append(rows, hang("  ?  ", l.Question.In(lang))...)
	return append(rows, "")
}

// body is what one item of a lesson's output looks like.
func body(it course.Item, lang course.Lang) []string {
	var rows []string
	if text := it.Text.In(lang); it.Lanes == nil || text != "" {
		rows = append(rows, indent+course.Cut(text, inner))
	}
	if it.Lanes != nil {
		for _, row := range it.Lanes.Rows(inner) {
			rows = append(rows, indent+row)
		}
	}
	return rows
}

// tail is what became of the laws, and the file to change.
func tail(r *course.Result, lang course.Lang) []string {
	rows := []string{""}
	for _, law := range r.Laws {
		rows = append(rows, hang(law.Verdict.String()+" ", law.Text.In(lang))...)
	}
	if r.Err != nil {
		first, _, _ := strings.Cut(r.Err.Error(), "\n")
		rows = append(rows, hang(course.Broken.String()+" ", words.broken.In(lang)+first)...)
	}
	folder := "course/" + r.Lesson.Folder
	return append(rows, folder+"/main.go   "+words.change.In(lang)+"go run ./"+folder)
}

// hang wraps a text behind a mark, with the later rows below the first.
func hang(mark, text string) (rows []string) {
	for _, row := range course.Wrap(text, Columns-len(mark)) {
		rows = append(rows, course.Cut(mark+row, Columns))
		mark = strings.Repeat(" ", len(mark))
	}
	return rows
}

// Screen is a whole screen of a lesson that has been played.
func Screen(r *course.Result, lang course.Lang) []string {
	rows := head(r.Lesson, lang)
	for _, it := range r.Output {
		rows = append(rows, body(it, lang)...)
	}
	return append(rows, tail(r, lang)...)
}

// code is a lesson's program under its name.
func code(l *course.Lesson) []string {
	rows := []string{"", "course/" + l.Folder + "/main.go", ""}
	for row := range strings.Lines(l.Source()) {
		rows = append(rows, indent+strings.ReplaceAll(strings.TrimRight(row, "\n"), "\t", "    "))
	}
	return rows
}
