package course

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
)

// Stage is where a lesson shows itself. All methods are safe for concurrent
// use. What comes after the lesson's Run returned is dropped: a Result does
// not change once it was handed out.
type Stage struct {
	mu     sync.Mutex
	show   func(Item)
	result *Result
	closed bool
}

// Say shows one line, formatted in both languages with the same arguments.
func (s *Stage) Say(en, zh string, args ...any) { s.Line(Textf(en, zh, args...)) }

// Sayf shows one line that is the same in both languages.
func (s *Stage) Sayf(format string, args ...any) {
	s.Line(Text{En: fmt.Sprintf(format, args...)})
}

// Line shows one line.
func (s *Stage) Line(t Text) { s.put(Item{Text: t}) }

// Draw shows a picture of lanes under a caption.
func (s *Stage) Draw(l *Lanes, en, zh string, args ...any) {
	s.put(Item{Text: Textf(en, zh, args...), Lanes: l})
}

// Writer returns a writer for the standard output of a child process: each
// line that the child wrote with [Print] is shown as it arrives. Give each
// child a writer of its own, so that their lines stay whole.
func (s *Stage) Writer() io.Writer { return Lines(s.Line) }

// Fact records one measured value under its name. Names keep the order of
// their first use; a later value for the same name replaces the earlier.
func (s *Stage) Fact(name string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.result.Facts.Set(name, value)
	}
}

// Law judges one law. The text says it in the words of this run; when it does
// not hold, the mark before it says so.
func (s *Stage) Law(holds bool, en, zh string, args ...any) {
	v := Held
	if !holds {
		v = Broken
	}
	s.judge(Law{v, Textf(en, zh, args...)})
}

// Skip says that this machine cannot show a law, and why.
func (s *Stage) Skip(en, zh string, args ...any) {
	s.judge(Law{Skipped, Textf(en, zh, args...)})
}

func (s *Stage) judge(l Law) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.result.Laws = append(s.result.Laws, l)
	}
}

func (s *Stage) put(it Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.result.Output = append(s.result.Output, it)
	if s.show != nil {
		s.show(it)
	}
}

// run calls the lesson and turns a panic into an error.
func (s *Stage) run(ctx context.Context, lesson func(context.Context, *Stage) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return lesson(ctx, s)
}

// border stands between the languages of a line that crosses a process
// border. A child does not know the reader's language, and need not.
const border = "\t"

// Print writes one line to standard output for the parent's [Stage.Writer]:
// in both languages, in one write, so that lines of several processes on one
// pipe do not mix.
func Print(en, zh string, args ...any) { PrintText(Textf(en, zh, args...)) }

// Printf is Print for a line that is the same in both languages.
func Printf(format string, args ...any) { PrintText(Text{En: fmt.Sprintf(format, args...)}) }

// PrintText is Print for a text that is made already.
func PrintText(t Text) {
	line := t.En
	if t.Zh != "" {
		line += border + t.Zh
	}
	// A parent that has gone is no error here: it is what some lessons show.
	_, _ = io.WriteString(os.Stdout, line+"\n")
}

// Lines returns a writer that calls f for each whole line written to it, one
// call at a time.
func Lines(f func(Text)) io.Writer { return &lineWriter{f: f} }

type lineWriter struct {
	mu   sync.Mutex
	f    func(Text)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		en, zh, _ := strings.Cut(string(line), border)
		w.rest = rest
		w.f(Text{En: en, Zh: zh})
	}
}
