//go:build amd64 || arm64

package sys

// Pause tells the processor that this is a loop that waits for another one to
// write. It costs some 10 to 50 ns and never blocks. A loop around it needs an
// ordinary function call too: assembly cannot be preempted, and a garbage
// collection would wait for the end of the loop.
//
//go:noescape
func Pause()
