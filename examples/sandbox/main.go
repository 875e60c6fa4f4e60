// Sandbox has hostile tasks try to get out of a pool with a sandbox, and prints what
// became of it:
//
//	go run ./examples/sandbox
//
// Each escape is tried twice: outside, in a process without a sandbox, where it does no
// harm if it can be done, and inside, in earnest. The exit status is 1 if one succeeds
// inside. Some cannot be done by an ordinary user outside either; root sees more.
//
// Read the files in this order: this one, how it is tried; escapes_linux.go, what;
// scene.go, what there is to harm, and how harm is found out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// escape is a way out that is tried.
type escape struct {
	name string
	by   string // what is to contain it
	try  func(context.Context, target) (string, error)

	inside bool // try it inside only
	ends   bool // it may cost the worker that tries it
}

// target is all that an attacker could wish to know.
type target struct {
	Escape          int
	Earnest         bool
	Inside, Outside string // folders
	Address         string // of a server
	Parent          int
	Workers         []int
}

// attempt returns what the task got hold of; its error is what refused it.
var attempt = tandem.NewTask("attempt", func(ctx context.Context, t target) (string, error) {
	got, err := escapes[t.Escape].try(ctx, t)
	if err != nil {
		return "", &refusedError{short(err)}
	}
	return got, nil
})

// echo is the honest task that the pool is for.
var echo = tandem.NewTask("echo", func(_ context.Context, n int) (int, error) { return n, nil })

// refusedError says that the system refused something, and travels as such.
type refusedError struct{ Why string }

func (e *refusedError) Error() string { return e.Why }

func init() { tandem.RegisterErrorType[*refusedError]() }

func main() {
	tandem.Init()
	code, err := run(context.Background(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, out io.Writer) (code int, err error) {
	s, err := setScene()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, s.strike()) }()
	if err := s.pool.Start(ctx); errors.Is(err, errors.ErrUnsupported) {
		_, err = fmt.Fprintf(out, "Nothing was tried, this system has no such sandbox:\n%v\n", err)
		return 0, err
	} else if err != nil {
		return 1, err
	}
	fmt.Fprintf(out, "In force: %s\n\n", s.pool.Stats().Sandbox)
	var results []result
	for i := range escapes {
		results = append(results, s.try(ctx, i))
	}
	return report(out, results), nil
}

// try tries one escape, outside and inside.
func (s *scene) try(ctx context.Context, number int) result {
	e := &escapes[number]
	r := result{escape: e.name, outside: "-", by: e.by}
	t := s.target
	t.Escape = number
	if !e.inside {
		r.outside = "refused"
		if _, err := alone(ctx, t); err == nil {
			r.outside = done
		}
		s.reset()
	}
	t.Earnest = true
	t.Workers = s.workers()
	ended := s.pool.Stats().Ended
	got, err := attempt.On(s.pool).Call(ctx, t)
	if r.inside, r.succeeded = judge(got, err); e.ends {
		r.succeeded = false // its own answer may be garbage; what counts is the harm
		r.harm = s.settle(ctx, ended)
	} else if s.pool.Stats().Ended != ended {
		r.harm = errors.New("a worker died")
	}
	r.harm = errors.Join(r.harm, s.harm(ctx))
	return r
}

// alone tries it in a process that has no sandbox.
func alone(ctx context.Context, t target) (string, error) {
	h, err := process.Start(ctx, process.Config{OpenFiles: openFiles, Stderr: io.Discard, Limits: tandem.Limits{Time: 10 * time.Second}}, attempt, t)
	if err != nil {
		return "", err
	}
	return h.Wait(ctx)
}

// judge says what an attempt has come to.
func judge(got string, err error) (what string, succeeded bool) {
	var refused *refusedError
	var crash *tandem.CrashError
	switch {
	case err == nil && got != "":
		return got, true
	case err == nil:
		return "nothing", false
	case errors.As(err, &refused):
		return refused.Why, false
	case errors.Is(err, tandem.ErrTimeout):
		return "killed: time limit", false
	case errors.Is(err, tandem.ErrMalformed):
		return "its answer was refused", false
	case errors.As(err, &crash):
		return "its worker died alone", false
	}
	return short(err), false
}
