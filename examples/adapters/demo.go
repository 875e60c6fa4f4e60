package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
)

const workers = 2

// job is what is published, and what must become of it.
type job struct {
	document string
	end      decision
	why      error // found in the error of the last delivery
}

var jobs = []job{
	{"first", finished, nil},
	{"nested without end", giveUp, tandem.ErrPoison},
	{"second", finished, nil},
	{"loops", giveUp, tandem.ErrTimeout},
	{"", giveUp, errEmpty},
	{"third", finished, nil},
	{"fourth", finished, nil},
}

// run publishes the jobs and serves until each is finished or given up.
func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	js, stop, err := startServer()
	if err != nil {
		return err
	}
	defer stop()
	stream, err := createStream(ctx, js)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if _, err := js.Publish(ctx, "jobs", []byte(j.document)); err != nil {
			return err
		}
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	l := &ledger{left: len(jobs), done: done, endings: map[string]ending{}}
	if err := serve(ctx, stream, &natsHandler{executor: &executor{keep: l.keep}, delivered: l.delivered}); err != nil {
		return err
	}
	return l.report(out)
}

// ledger knows what has become of each job.
type ledger struct {
	done func() // called when no job is left

	mu      sync.Mutex
	left    int
	endings map[string]ending
	results []string
}

type ending struct {
	deliveries int
	decision   decision
	err        error
}

// keep is where results go.
func (l *ledger) keep(_ context.Context, result string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, result)
	return nil
}

// delivered is told of each delivery that is answered.
func (l *ledger) delivered(document string, d decision, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endings[document] = ending{l.endings[document].deliveries + 1, d, err}
	if d == finished || d == giveUp {
		if l.left--; l.left == 0 {
			l.done()
		}
	}
}

// report prints what has become of each job; what should not have is the error.
func (l *ledger) report(out io.Writer) (wrong error) {
	const line = "%-20.20s %-10.10s %-9.9s %.38s\n"
	fmt.Fprintf(out, line, "JOB", "DELIVERED", "DECISION", "ERROR")
	for _, j := range jobs {
		e := l.endings[j.document]
		text := ""
		if e.err != nil {
			text = e.err.Error()
			if _, reason, ok := strings.Cut(text, ".convert: "); ok { // without the name of the task
				text = reason
			}
		}
		fmt.Fprintf(out, line, fmt.Sprintf("%q", j.document), fmt.Sprintf("%d times", e.deliveries), e.decision, text)
		if e.deliveries == 0 || e.decision != j.end || !errors.Is(e.err, j.why) {
			wrong = errors.Join(wrong, fmt.Errorf("%q: %v after %d deliveries: %v", j.document, e.decision, e.deliveries, e.err))
		}
		if want := strings.ToUpper(j.document); j.end == finished && !slices.Contains(l.results, want) {
			wrong = errors.Join(wrong, fmt.Errorf("%q has no result", j.document))
		}
	}
	return wrong
}
