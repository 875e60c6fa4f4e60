//go:build unix && !linux

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	sockCloexec = 0
	sendFlags   = 0
	recvFlags   = 0
)

func forkLock()   { syscall.ForkLock.RLock() }
func forkUnlock() { syscall.ForkLock.RUnlock() }

func pipe(fds *[2]int) error {
	if err := unix.Pipe(fds[:]); err != nil {
		return err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return nil
}
