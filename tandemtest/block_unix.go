//go:build unix

package tandemtest

import "syscall"

// blockThread blocks its thread in a system call that never returns, as a call
// into C would.
func blockThread() {
	var fds [2]int
	if syscall.Pipe(fds[:]) == nil {
		syscall.Read(fds[0], make([]byte, 1))
	}
}
