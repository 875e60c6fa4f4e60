//go:build unix && !linux

package sys

import "syscall"

const (
	sockCloexec = 0
	sendFlags   = 0
	recvFlags   = 0
)

func forkLock()   { syscall.ForkLock.RLock() }
func forkUnlock() { syscall.ForkLock.RUnlock() }
