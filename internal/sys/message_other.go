//go:build unix && !linux

package sys

import "golang.org/x/sys/unix"

type message struct{}

func (r *Receiver) receive(fd int, buf []byte, _ uintptr) (n, oobn, flags int, err error) {
	n, oobn, flags, _, err = unix.Recvmsg(fd, buf, r.oob, recvFlags)
	return n, oobn, flags, err
}

// Peek sees nothing here.
func (r *Receiver) Peek(fd int, buf []byte) (n int, fds []int, err error) { return 0, nil, nil }

// Skip has nothing to skip.
func Skip(fd, n int) error { return nil }

func send(fd int, buf []byte) (int, error) { return unix.SendmsgN(fd, buf, nil, nil, sendFlags) }
