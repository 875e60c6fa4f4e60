package tandemtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/tandem-go/tandem"
)

var (
	errSentinel = sentinel("tandemtest.errSentinel", "the suite's sentinel")
	_           = registerTyped()
)

func sentinel(name, text string) error {
	err := errors.New(text)
	tandem.RegisterError(name, err)
	return err
}

// typedError is a registered type with an error of its own below.
type typedError struct {
	Code  int
	Cause error
}

func (e *typedError) Error() string { return fmt.Sprintf("code %d: %v", e.Code, e.Cause) }
func (e *typedError) Unwrap() error { return e.Cause }

func registerTyped() bool {
	tandem.RegisterErrorType[*typedError]()
	return true
}

// slowError is not registered, but says that it is a timeout.
type slowError struct{}

func (slowError) Error() string { return "slow" }
func (slowError) Timeout() bool { return true }

// failing fails in the way that its argument names.
var failing = tandem.NewTask("failing", func(_ context.Context, how string) (int, error) {
	switch how {
	case "plain":
		return 7, errors.New("plain failure") // the 7 must not arrive
	case "sentinel":
		return 0, errSentinel
	case "wrapped":
		return 0, fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", errSentinel))
	case "typed":
		return 0, fmt.Errorf("outer: %w", &typedError{7, io.ErrUnexpectedEOF})
	case "joined":
		return 0, errors.Join(errSentinel, fmt.Errorf("second: %w", &typedError{8, nil}), fs.ErrNotExist)
	case "path":
		_, err := os.Open("no such file here")
		return 0, err
	case "errno":
		return 0, os.NewSyscallError("open", syscall.EACCES)
	case "timeout":
		return 0, slowError{}
	case "context":
		return 0, context.Canceled // its own opinion: nobody cancelled it
	case "nested":
		return 0, &tandem.ItemError{Index: 3, Err: &tandem.CrashError{Reason: "made up", Err: tandem.ErrMemory}}
	case "panic":
		panic("at the disco")
	case "panic with an error":
		panic(fmt.Errorf("wrapped: %w", errSentinel))
	case "index":
		return []int{1}[len(how)], nil
	case "goexit":
		runtime.Goexit()
	case "huge":
		return 0, errors.New(strings.Repeat("x", 5<<20))
	case "huge panic":
		panic(strings.Repeat("y", 5<<20))
	}
	return len(how), nil
})

// errorCases are one table: how to fail, and what must be found in the error.
var errorCases = []testCase{
	failure("plain", func(err error) error { return text(err, "plain failure") }),
	failure("sentinel", is(errSentinel)),
	failure("wrapped", is(errSentinel), func(err error) error { return text(err, "outer: inner: the suite's sentinel") }),
	failure("typed", is(io.ErrUnexpectedEOF), func(err error) error {
		var e *typedError
		if !errors.As(err, &e) || e.Code != 7 {
			return fmt.Errorf("no *typedError with code 7 in it")
		}
		return text(err, "outer: code 7: unexpected EOF")
	}),
	failure("joined", is(errSentinel), is(fs.ErrNotExist), func(err error) error {
		var e *typedError
		if !errors.As(err, &e) || e.Code != 8 || e.Cause != nil {
			return fmt.Errorf("no *typedError with code 8 and no cause in it")
		}
		return nil
	}),
	failure("path", is(fs.ErrNotExist), func(err error) error {
		var e *fs.PathError
		if !errors.As(err, &e) || e.Op != "open" || e.Path != "no such file here" {
			return fmt.Errorf("no *fs.PathError that names the file in it")
		}
		return nil
	}),
	failure("errno", is(syscall.EACCES), is(fs.ErrPermission)),
	failure("timeout", func(err error) error {
		var e interface{ Timeout() bool }
		if !errors.As(err, &e) || !e.Timeout() {
			return fmt.Errorf("it does not say Timeout any more")
		}
		return text(err, "slow")
	}),
	failure("context", is(context.Canceled)),
	failure("nested", is(tandem.ErrMemory), func(err error) error {
		var item *tandem.ItemError
		var crash *tandem.CrashError
		if !errors.As(err, &item) || item.Index != 3 || !errors.As(err, &crash) || crash.Reason != "made up" {
			return fmt.Errorf("no *ItemError with a *CrashError in it")
		}
		return nil
	}),
	failure("panic", panicked("at the disco", "errors.go")),
	failure("panic with an error", is(errSentinel), panicked("wrapped: the suite's sentinel", "errors.go")),
	failure("index", panicked("runtime error: index out of range [5] with length 1", "errors.go")),
	failure("goexit", panicked("runtime.Goexit called", "")),
	{"a value after failures", func(s *suite) {
		for _, how := range []string{"panic", "goexit", "plain"} {
			if _, err := failing.On(s.place).Go(s.context(), how).Wait(s.context()); err == nil {
				s.Errorf("%s: no error", how)
			}
		}
		if got, err := failing.On(s.place).Call(s.context(), "four"); got != 4 || err != nil {
			s.Errorf("got %v, %v; want 4", got, err)
		}
	}},
	{"huge", func(s *suite) {
		if _, err := failing.On(s.place).Call(s.context(), "huge"); err == nil || !strings.HasPrefix(err.Error(), "xxx") {
			s.Errorf("a text of 5 MiB: got %.80v", err)
		}
		_, err := failing.On(s.place).Limit(tandem.Limits{Output: 8}).Call(s.context(), "huge panic")
		var p *tandem.PanicError
		if !errors.As(err, &p) || !strings.HasPrefix(p.Value, "yyy") {
			s.Errorf("a panic with a text of 5 MiB: got %.80v", err)
		}
		s.alive()
	}},
}

// failure calls the failing task by Go, so that Goexit ends no test, and checks
// its error. A call that fails never has a value.
func failure(how string, checks ...func(error) error) testCase {
	return testCase{how, func(s *suite) {
		got, err := failing.On(s.place).Go(s.context(), how).Wait(s.context())
		if err == nil || got != 0 {
			s.Fatalf("got %v, %v; want 0 and an error", got, err)
		}
		for _, check := range checks {
			if bad := check(err); bad != nil {
				s.Errorf("%v: %v (%T)", bad, err, err)
			}
		}
	}}
}

func is(want error) func(error) error {
	return func(err error) error {
		if !errors.Is(err, want) {
			return fmt.Errorf("errors.Is does not find %q", want)
		}
		return nil
	}
}

func text(err error, want string) error {
	if err.Error() != want {
		return fmt.Errorf("the text is not %q", want)
	}
	return nil
}

// panicked checks for a *PanicError whose stack names a file of the task.
func panicked(value, file string) func(error) error {
	return func(err error) error {
		var p *tandem.PanicError
		switch {
		case !errors.As(err, &p):
			return fmt.Errorf("no *PanicError")
		case p.Value != value:
			return fmt.Errorf("its value is %q, want %q", p.Value, value)
		case !strings.Contains(string(p.Stack), file):
			return fmt.Errorf("its stack does not name %s", file)
		}
		return nil
	}
}
