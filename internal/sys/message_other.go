//go:build unix && !linux

package sys

import "golang.org/x/sys/unix"

type message struct{}

func (r *Receiver) receive(fd int, buf []byte) (n, oobn, flags int, err error) {
	n, oobn, flags, _, err = unix.Recvmsg(fd, buf, r.oob, recvFlags)
	return n, oobn, flags, err
}

func send(fd int, buf []byte) (int, error) { return unix.SendmsgN(fd, buf, nil, nil, sendFlags) }
