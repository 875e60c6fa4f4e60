//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
)

// end ends this program by the signal, so that a shell which waits for it stops as
// well. The first process of a container gets no signal for which it has no handler.
func end(e *SignalError) {
	signal.Reset(e.Signal)
	if os.Getpid() != 1 && syscall.Kill(os.Getpid(), e.Signal) == nil {
		select {}
	}
	os.Exit(e.ExitCode())
}
