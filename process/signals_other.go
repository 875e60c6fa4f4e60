//go:build !unix

package process

import "os"

// end ends this program.
func end(e *SignalError) { os.Exit(e.ExitCode()) }
