package process

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// SignalError is the cause of the context that Handle returned, and so the error of
// what was cancelled, after a signal. errors.Is finds context.Canceled in it.
//
//	if s, ok := errors.AsType[*process.SignalError](context.Cause(ctx)); ok {
//		os.Exit(s.ExitCode())
//	}
type SignalError struct {
	Signal syscall.Signal
}

func newSignalError(sig os.Signal) *SignalError {
	n, _ := sig.(syscall.Signal) // every signal that we listen to is one
	return &SignalError{n}
}

// Error names the signal.
func (e *SignalError) Error() string {
	return fmt.Sprintf("tandem: this program was told to leave: signal %q", e.Signal)
}

// Unwrap returns context.Canceled.
func (e *SignalError) Unwrap() error { return context.Canceled }

// ExitCode is what a shell reports for a program that the signal ended: 128 and its
// number, 130 for Ctrl-C, 143 for SIGTERM. The library never exits with it after one
// signal: that is main's to do.
func (e *SignalError) ExitCode() int { return 128 + int(e.Signal) }
