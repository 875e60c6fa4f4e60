// Package tour plays the lessons of package course for a person: on a
// terminal screen by screen, through a pipe all at once, as JSON, or as one
// HTML page.
package tour

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tandem-go/tandem/course"
)

// Tour is what to play and how to show it.
type Tour struct {
	All     []*course.Lesson // every lesson, for the index
	Lessons []*course.Lesson // those to play
	Index   bool             // begin with the index
	Lang    course.Lang
	Code    bool   // print each lesson's program below its screen
	JSON    bool   // one object a line, nothing else
	HTML    string // write one page to this file instead of screens
	SVG     string // write the pictures of the lessons to this file

	Out      io.Writer
	Terminal *os.File // where keys come from; nil runs through without asking
	Colours  bool
}

// Run plays the tour. ok is false when a law does not hold or a lesson broke
// off; err is about the tour itself, such as a file that cannot be written.
func (t *Tour) Run(ctx context.Context) (ok bool, err error) {
	for _, file := range []string{t.HTML, t.SVG} {
		// Now, and not after everything was played for nothing.
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return true, fmt.Errorf("tandem: tour: %s cannot be written: %w", file, err)
		}
	}
	var results []*course.Result
	switch {
	case t.JSON:
		results, err = t.playJSON(ctx)
	case t.HTML != "" || t.SVG != "":
		results, err = t.playQuietly(ctx)
	default:
		results, err = t.playScreens(ctx)
	}
	if err == nil && t.HTML != "" {
		err = t.write(t.HTML, func(w io.Writer) error { return WriteHTML(w, results, t.Lang) })
	}
	if err == nil && t.SVG != "" {
		err = t.write(t.SVG, func(w io.Writer) error { return WriteSVG(w, results, t.Lang) })
	}
	ok = true
	for _, r := range results {
		ok = ok && !r.Failed()
	}
	if err == nil && !t.JSON && len(results) > 1 {
		err = t.print("", t.summary(results))
	}
	return ok, err
}

// playScreens shows one screen after the other. On a terminal it asks before
// the answer to each question, and between the screens.
func (t *Tour) playScreens(ctx context.Context) (results []*course.Result, err error) {
	ask := t.asker()
	if t.Index {
		if err := t.print(append(Index(t.All, t.Lang), "")...); err != nil {
			return nil, err
		}
		if stop, err := ask(words.next); stop || err != nil {
			return nil, err
		}
	}
	for i, l := range t.Lessons {
		if i > 0 {
			if stop, err := ask(words.next); stop || err != nil {
				return results, err
			}
			if err := t.print(""); err != nil {
				return results, err
			}
		}
		if err := t.print(head(l, t.Lang)...); err != nil {
			return results, err
		}
		if stop, err := ask(words.guess); stop || err != nil {
			return results, err
		}
		r, err := t.playScreen(ctx, l)
		results = append(results, r)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// playScreen plays one lesson below its question.
func (t *Tour) playScreen(ctx context.Context, l *course.Lesson) (*course.Result, error) {
	var lost error // the reader left, as in `tandem tour | head`
	r := l.Play(ctx, func(it course.Item) {
		if err := t.print(body(it, t.Lang)...); err != nil {
			lost = err
		}
	})
	if lost != nil {
		return r, lost
	}
	rows := tail(r, t.Lang)
	if t.Code {
		rows = append(rows, code(l)...)
	}
	return r, t.print(rows...)
}

// asker returns what puts a prompt and says whether to stop. Without a
// terminal, and after the key "a", it asks nothing.
func (t *Tour) asker() func(prompt course.Text) (stop bool, err error) {
	through := t.Terminal == nil
	return func(prompt course.Text) (bool, error) {
		if through {
			return false, nil
		}
		k, err := keys{t.Terminal, t.Out}.ask(prompt.In(t.Lang))
		through = k == runOn
		return k == quit, err
	}
}

// playJSON writes one object for each lesson as it ends.
func (t *Tour) playJSON(ctx context.Context) (results []*course.Result, err error) {
	for _, l := range t.Lessons {
		r := l.Play(ctx, nil)
		results = append(results, r)
		line, err := r.JSON(t.Lang)
		if err != nil {
			return results, err
		}
		if err := t.print(string(line)); err != nil {
			return results, err
		}
	}
	return results, nil
}

// playQuietly plays for a file: one row a lesson says how far it has come.
func (t *Tour) playQuietly(ctx context.Context) (results []*course.Result, err error) {
	for _, l := range t.Lessons {
		r := l.Play(ctx, nil)
		results = append(results, r)
		verdict := course.Skipped
		if r.Failed() {
			verdict = course.Broken
		} else if r.OK() {
			verdict = course.Held
		}
		if err := t.print(fmt.Sprintf("%s %s  %s", verdict, l.ID, l.Title.In(t.Lang))); err != nil {
			return results, err
		}
	}
	return results, nil
}

// summary counts the lessons and adds up their times; a reader's pauses are
// not in it.
func (t *Tour) summary(results []*course.Result) string {
	var ok, failed int
	var took time.Duration
	for _, r := range results {
		took += r.Took
		if r.Failed() {
			failed++
		} else if r.OK() {
			ok++
		}
	}
	return fmt.Sprintf(words.summary.In(t.Lang), len(results), took.Seconds(), ok, failed, len(results)-ok-failed)
}

func (t *Tour) print(rows ...string) error {
	var b bytes.Buffer
	for _, row := range rows {
		b.WriteString(paint(row, t.Colours))
		b.WriteByte('\n')
	}
	_, err := t.Out.Write(b.Bytes())
	return err
}

// write makes a file in one piece: what cannot be drawn leaves the old file as
// it was.
func (t *Tour) write(name string, draw func(io.Writer) error) error {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		return err
	}
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		return fmt.Errorf("tandem: tour: %w", err)
	}
	return t.print(name)
}
