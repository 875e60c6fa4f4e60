package tour

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem/course"
)

//go:embed page.html
var page string

// WriteHTML writes the run as one page that needs nothing else: both
// languages, the course's program beside the Go one, and the pictures drawn
// from this run's intervals. It opens in the given language.
func WriteHTML(w io.Writer, results []*course.Result, lang course.Lang) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"say":     func(en, zh string) template.HTML { return both(course.Text{En: en, Zh: zh}) },
		"both":    both,
		"blocks":  blocks,
		"picture": picture,
		"class":   func(v course.Verdict) string { return [...]string{"ok", "bad", "skip"}[v] },
		"facts":   facts,
	}).Parse(page)
	if err != nil {
		return err
	}
	lessons := make([]lessonView, len(results))
	for i, r := range results {
		name, text := r.Lesson.Course()
		lessons[i] = lessonView{Result: r, CourseFile: name, CourseText: text}
	}
	if lang != course.Zh {
		lang = course.En
	}
	return t.Execute(w, map[string]any{
		"Lang": lang, "Lessons": lessons,
		"System": runtime.GOOS + "/" + runtime.GOARCH + ", " + runtime.Version(),
	})
}

type lessonView struct {
	*course.Result
	CourseFile, CourseText string
}

// both is a text in its two languages; the page's style shows one of them.
func both(t course.Text) template.HTML {
	en, zh := template.HTMLEscapeString(t.En), template.HTMLEscapeString(t.In(course.Zh))
	if en == zh {
		return template.HTML(en)
	}
	return template.HTML(`<span lang="en">` + en + `</span><span lang="zh">` + zh + `</span>`)
}

// block is a stretch of a lesson's output: rows of text, or a picture.
type block struct {
	Lines   []course.Text
	Picture *course.Item
}

// blocks joins the lines between two pictures.
func blocks(r *course.Result) (list []block) {
	for i, it := range r.Output {
		last := len(list) - 1
		switch {
		case it.Lanes != nil:
			list = append(list, block{Picture: &r.Output[i]})
		case last >= 0 && list[last].Picture == nil:
			list[last].Lines = append(list[last].Lines, it.Text)
		default:
			list = append(list, block{Lines: []course.Text{it.Text}})
		}
	}
	return list
}

// picture draws the lanes without their caption: the page has it as text.
func picture(it *course.Item) template.HTML {
	var b bytes.Buffer
	height := drawLanes(&b, course.Item{Lanes: it.Lanes}, course.En, 0)
	return template.HTML(openSVG(height) + b.String() + "</svg>")
}

// facts is what was measured, in one line that a browser may break.
func facts(r *course.Result) (string, error) {
	b, err := r.Facts.MarshalJSON()
	return strings.ReplaceAll(string(b), `,"`, `, "`), err
}
