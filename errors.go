package tandem

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// The errors below keep their identity across processes: errors.Is and
// errors.As find them in what a task in a worker returned, too. They come
// wrapped: "tandem: main.render: stopped after 30s: time limit exceeded".
var (
	// ErrTimeout: a task ran longer than Limits.Time. It has Timeout() bool, and
	// it is not context.DeadlineExceeded, so that a limit and the caller's own
	// deadline can be told apart.
	ErrTimeout error = timeoutError{}

	// ErrCPU: a task used more processor time than Limits.CPU.
	ErrCPU = errors.New("CPU time limit exceeded")

	// ErrMemory: a worker broke Limits.Memory. It is found in a *CrashError.
	ErrMemory = errors.New("memory limit exceeded")

	// ErrOOMKilled: the kernel's out-of-memory killer chose the worker, since the
	// machine or the container had no memory left, or package process ended it a moment
	// before that. It is found in a *CrashError.
	ErrOOMKilled = errors.New("killed by the kernel's out-of-memory killer")

	// ErrPoison: a task with this argument killed so many workers that it is given
	// up. The last death is found in the same error as a *CrashError.
	ErrPoison = errors.New("given up as poison")

	// ErrPoolBroken: the workers of a pool cannot start or do not stay alive. The
	// first cause is found in the same error.
	ErrPoolBroken = errors.New("pool is broken")

	// ErrTooLarge: a result was over Limits.Output.
	ErrTooLarge = errors.New("result too large")

	// ErrClosed: the place was closed or shut down before the task started.
	ErrClosed = errors.New("closed")

	// ErrQueueFull: the place has a bound on waiting calls, and it is reached.
	ErrQueueFull = errors.New("queue full")

	// ErrNotInit: a process was to be started, but main did not call Init.
	ErrNotInit = errors.New("tandem.Init was not called")

	// ErrMalformed: the bytes that came back are no outcome of the task.
	ErrMalformed = errors.New("malformed outcome")
)

type timeoutError struct{}

func (timeoutError) Error() string { return "time limit exceeded" }
func (timeoutError) Timeout() bool { return true }

// PanicError is the outcome of a task that panicked, wherever it ran.
type PanicError struct {
	// Value is the panic's value as text, "runtime.Goexit called" for a task that
	// ended its goroutine (t.FailNow does).
	Value string
	// Err is the panic's value if it was an error, as far as errors travel.
	Err error
	// Stack is the stack of the goroutine that panicked, in its own process.
	Stack []byte
}

const goexit = "runtime.Goexit called"

// Error is the value without the stack.
func (e *PanicError) Error() string { return "tandem: task panicked: " + e.Value }

// Unwrap returns Err.
func (e *PanicError) Unwrap() error { return e.Err }

func newPanicError(v any) *PanicError {
	text := fmt.Sprint(v)
	e := &PanicError{Value: text[:min(len(text), maxErrorText)], Stack: debug.Stack()}
	e.Err, _ = v.(error)
	return e
}

// CrashError is the outcome of a task whose worker process died in it. The other
// tasks of the pool go on, and the worker is replaced.
type CrashError struct {
	Task     string   // full name of the task
	Attempt  int      // which run of the call it was, from 1; 0 if no task ran
	Input    string   // fingerprint of the encoded argument, the same in each attempt; "" if not known
	PID      int      // of the worker
	Reason   string   // what ended it, for people: "stack overflow", "exit status 3"
	ExitCode int      // exit code, -1 if a signal ended it
	Signal   string   // name of the signal, "" if it exited
	Stderr   []string // the last lines the worker wrote to its standard error
	Report   string   // the Go runtime's crash report, if it wrote one
	Dump     string   // the file about it, if process.Config.Dumps asks for one
	// Collateral: the task did nothing wrong, it shared a worker with one that
	// broke a limit (process.Pool.Threads > 1).
	Collateral bool
	Err        error // ErrMemory or ErrOOMKilled, nil if the cause has no sentinel
}

// Error names the task, the process and the reason, the attempt if it was not the
// first, and the worker's last line if the Go runtime wrote no report.
func (e *CrashError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tandem: %s: worker %d died: %s", e.Task, e.PID, e.Reason)
	if e.Attempt > 1 {
		fmt.Fprintf(&b, ", in attempt %d", e.Attempt)
	}
	if n := len(e.Stderr); n > 0 && e.Report == "" {
		fmt.Fprintf(&b, "; its last line: %s", e.Stderr[n-1])
	}
	if e.Collateral {
		b.WriteString(" (because of another task in it)")
	}
	return b.String()
}

// Unwrap returns Err.
func (e *CrashError) Unwrap() error { return e.Err }

// ItemError says which input of All failed.
type ItemError struct {
	Index int
	Err   error
}

// Error is the cause with its index.
func (e *ItemError) Error() string { return fmt.Sprintf("input %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *ItemError) Unwrap() error { return e.Err }
