package sys

import "golang.org/x/sys/unix"

const (
	sockCloexec = unix.SOCK_CLOEXEC
	sendFlags   = unix.MSG_NOSIGNAL
	recvFlags   = unix.MSG_CMSG_CLOEXEC
)

func forkLock()   {}
func forkUnlock() {}

func pipe(fds *[2]int) error { return unix.Pipe2(fds[:], unix.O_CLOEXEC) }
