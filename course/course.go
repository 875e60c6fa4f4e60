// Package course is a short course on multitasking as programs that run: what
// a process, a thread, a lock and a coroutine are, one lesson for each heading
// of the course, in its order.
//
// Each lesson has a folder. Its main.go is a program of at most 40 lines to
// read, copy and change:
//
//	go run ./course/05-globals
//
// The package beside it plays the same lesson for `tandem tour`: on real
// processes, real threads and real locks, with what happened measured and the
// lesson's law judged from those measurements, never from what was expected.
// The folder also keeps what the course itself says there: its Python program
// (course.py) or its words (course.txt).
//
// # A lesson's life
//
// [Lesson.Play] calls the lesson's Run with a [Stage]. Run shows lines as
// they happen ([Stage.Say], [Stage.Writer]), records what it measured
// ([Stage.Fact]), and says which laws held ([Stage.Law]) or cannot be shown on
// this machine ([Stage.Skip]). Play returns all of it as a [Result].
//
// The list of all lessons is package course/all: it imports each of them, and
// they import this package.
//
// # Languages
//
// What a reader sees is a [Text], English and Chinese together, so that one
// run can be shown in both. The Chinese output lines are the course's own,
// letter for letter.
package course

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Lang is a language of the course: [En] or [Zh].
type Lang string

// The languages of the course. The zero Lang reads as English.
const (
	En Lang = "en"
	Zh Lang = "zh"
)

// Text is one thing said in both languages.
type Text struct{ En, Zh string }

// In returns the text in one language; a text without a Chinese form is the
// same in both.
func (t Text) In(l Lang) string {
	if l == Zh && t.Zh != "" {
		return t.Zh
	}
	return t.En
}

// Textf formats both languages with the same arguments. Where one needs fewer
// of them, or another order, the formats use argument indexes.
func Textf(en, zh string, args ...any) Text {
	return Text{En: fmt.Sprintf(en, args...), Zh: fmt.Sprintf(zh, args...)}
}

// Lesson is one lesson. Its fields are fixed; Play may be called any number
// of times, one call at a time.
type Lesson struct {
	ID       string // "L05"
	Folder   string // "05-globals", the folder below course/
	Heading  string // the course's own heading, letter for letter; "" where the course has none
	Way      Way    // the way of multitasking it belongs to
	Title    Text   // a few words
	Idea     Text   // what is to be seen, at most two rows of 76 columns
	Question Text   // what to guess before looking
	Run      func(ctx context.Context, s *Stage) error
}

// Way is one of the course's ways to do several things at once, 实现多任务的方式.
type Way struct {
	Number int // the course's number, 0 for what comes before and after the ways
	Name   Text
}

// The ways, as the course numbers them, between what comes before them and
// what this project adds.
var (
	Basics    = Way{0, Text{"multitasking", "多任务介绍"}}
	Processes = Way{1, Text{"processes", "多进程方式"}}
	Threads   = Way{2, Text{"threads", "多线程方式"}}
	Routines  = Way{3, Text{"coroutines", "协程方式"}}
	Hybrid    = Way{4, Text{"processes + threads", "多进程+多线程"}}
	Beyond    = Way{0, Text{"what only processes do", "只有进程做得到"}}
)

// Scale is how much shorter the lessons sleep than the course does.
const Scale = 5

// Scaled returns what is left of one of the course's sleeps.
func Scaled(d time.Duration) time.Duration { return d / Scale }

// Result is what one run of a lesson showed.
type Result struct {
	Lesson *Lesson
	Output []Item // in the order in which it happened
	Facts  Facts
	Laws   []Law
	Err    error // why the lesson could not be played to its end
	Took   time.Duration
}

// Item is one piece of a lesson's output: a line, or a picture of lanes.
type Item struct {
	Text  Text
	Lanes *Lanes // non-nil: the item is this picture, and Text is its caption
}

// Law is one law of a lesson, judged.
type Law struct {
	Verdict Verdict
	Text    Text // what held, what did not, or why it cannot be shown here
}

// Verdict says what became of a law.
type Verdict int

// A law holds, does not hold, or cannot be shown on this machine: then it is
// neither ok nor a failure.
const (
	Held Verdict = iota
	Broken
	Skipped
)

// String returns the mark that stands before a law.
func (v Verdict) String() string {
	return [...]string{"[ok]", "[!!]", "[skip]"}[v]
}

// Play runs the lesson and returns what it showed. Each item is also given to
// show as it happens, one call at a time; a nil show shows nothing. A panic in
// the lesson is its error. An error that wraps [errors.ErrUnsupported] is none:
// what the system does not offer is a law that cannot be shown here.
func (l *Lesson) Play(ctx context.Context, show func(Item)) *Result {
	s := &Stage{show: show, result: &Result{Lesson: l}}
	began := time.Now()
	err := s.run(ctx, l.Run)
	took := time.Since(began)
	if errors.Is(err, errors.ErrUnsupported) {
		s.Skip("not on this system: %[1]v", "这个系统做不到：%[1]v", err)
		err = nil
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.result.Err, s.result.Took = err, took
	return s.result
}

// OK reports that the lesson ran to its end, that no law is broken, and that
// at least one was judged.
func (r *Result) OK() bool { return !r.Failed() && r.count(Held) > 0 }

// Failed reports that the lesson broke off or that a law does not hold. A
// lesson that judges nothing has failed too: it showed nothing.
func (r *Result) Failed() bool {
	return r.Err != nil || r.count(Broken) > 0 || len(r.Laws) == 0
}

// SkipReason returns why a law could not be shown here, or nothing.
func (r *Result) SkipReason() Text {
	for _, law := range r.Laws {
		if law.Verdict == Skipped {
			return law.Text
		}
	}
	return Text{}
}

func (r *Result) count(v Verdict) (n int) {
	for _, law := range r.Laws {
		if law.Verdict == v {
			n++
		}
	}
	return n
}
