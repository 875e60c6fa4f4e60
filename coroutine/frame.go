package coroutine

import (
	"fmt"
	"runtime/debug"

	"github.com/tandem-go/tandem"
)

// signal is the type of the two private panics, so that nothing else can be
// equal to them.
type signal struct{ text string }

func (s *signal) String() string { return s.text }

var (
	// unwind is raised at the yield point of a coroutine that has to end.
	unwind = &signal{"tandem: coroutine: this panic unwinds a stopped coroutine; let it pass"}

	// exited carries a runtime.Goexit out of a coroutine.
	exited = &signal{"tandem: coroutine: runtime.Goexit called"}
)

// frame runs body as the outermost call of a coroutine and gives end the one
// error that body ended with, and whether it returned. A body that was unwound
// ends with nil.
//
// Goexit needs a trick. It cannot be stopped, and iter.Pull hands it on to
// whoever resumes the coroutine: one t.FailNow would end the goroutine of the
// whole loop. But a panic that is raised while Goexit runs the deferred calls
// can be recovered like any other, and iter.Pull recovers it and raises it
// again at the resumer, where [absorb] takes it. The Goexit then ends the
// coroutine's goroutine, as it should, and nobody else's. The road not taken
// was to let the loop go on inside a deferred call of its dying goroutine: it
// works, but Run can then not use its caller's goroutine, and the stack grows
// with every Goexit.
func frame(body func() error, end func(err error, returned bool)) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch v := recover(); v {
		case nil:
			end(endedBy(nil), false)
			panic(exited)
		case any(unwind):
			end(nil, false)
		default:
			end(endedBy(v), false)
		}
	}()
	err := body()
	returned = true
	end(err, true)
}

// absorb must be deferred around each switch into a coroutine.
func absorb() {
	if v := recover(); v != nil && v != any(exited) {
		panic(v)
	}
}

// endedBy makes the error of a function that did not return. It must run in
// the deferred call that recovered v, while the stack still shows where the
// panic came from. A nil v means runtime.Goexit.
func endedBy(v any) error {
	if v == nil {
		return &tandem.PanicError{Value: "runtime.Goexit called", Stack: debug.Stack()}
	}
	err, _ := v.(error)
	return &tandem.PanicError{Value: fmt.Sprint(v), Err: err, Stack: debug.Stack()}
}
