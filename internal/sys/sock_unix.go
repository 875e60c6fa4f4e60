//go:build unix

package sys

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Socketpair returns two connected stream sockets, both blocking and closed on
// exec.
func Socketpair() (a, b int, err error) { return socketpair(unix.SOCK_STREAM) }

// Datagrams is Socketpair for sockets that keep the borders of messages. Many may
// write to one end, and none can spoil what the others write. There is no end of file.
func Datagrams() (a, b int, err error) { return socketpair(unix.SOCK_DGRAM) }

func socketpair(kind int) (a, b int, err error) {
	// The lock keeps a fork between the two calls away where SOCK_CLOEXEC does
	// not exist (darwin).
	forkLock()
	defer forkUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|sockCloexec, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("tandem: socketpair: %w", err)
	}
	if sockCloexec == 0 {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	return fds[0], fds[1], nil
}

// Pipe returns a pipe whose ends block and are closed on exec.
func Pipe() (r, w int, err error) {
	forkLock()
	defer forkUnlock()
	var fds [2]int
	if err := pipe(&fds); err != nil {
		return -1, -1, fmt.Errorf("tandem: pipe: %w", err)
	}
	return fds[0], fds[1], nil
}

// File makes an *os.File of a descriptor, which it owns from then on. With
// polled it waits in the runtime's poller instead of blocking a thread.
func File(fd int, name string, polled bool) (*os.File, error) {
	if polled {
		if err := unix.SetNonblock(fd, true); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("tandem: %s: %w", name, err)
		}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// CloseOnExec keeps a descriptor from the programs that this process starts.
func CloseOnExec(fd int) { unix.CloseOnExec(fd) }

// Send writes buf to a socket with descriptors beside its first byte. It
// returns what one system call took.
func Send(fd int, buf []byte, fds []int) (n int, err error) {
	for {
		if len(fds) == 0 {
			n, err = send(fd, buf)
		} else {
			n, err = unix.SendmsgN(fd, buf, unix.UnixRights(fds...), nil, sendFlags)
		}
		if err != unix.EINTR {
			return n, err
		}
	}
}

// Receiver receives from a socket. It is used by one goroutine at a time.
type Receiver struct {
	oob     []byte
	message message
}

// NewReceiver makes a Receiver with room for as many descriptors beside the bytes
// of one call.
func NewReceiver(fds int) *Receiver { return &Receiver{oob: make([]byte, unix.CmsgSpace(4*fds))} }

// Receive reads once from a socket; descriptors that came along are returned
// closed on exec. n is 0 at end of file.
func (r *Receiver) Receive(fd int, buf []byte) (n int, fds []int, err error) {
	return r.receiveAll(fd, buf, 0)
}

func (r *Receiver) receiveAll(fd int, buf []byte, how uintptr) (n int, fds []int, err error) {
	for {
		var oobn, flags int
		n, oobn, flags, err = r.receive(fd, buf, how)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		if oobn > 0 {
			if fds, err = rights(r.oob[:oobn]); err == nil && flags&unix.MSG_CTRUNC != 0 {
				err = errors.New("tandem: more descriptors than announced")
			}
			if err != nil {
				CloseAll(fds)
				return 0, nil, err
			}
		}
		return n, fds, nil
	}
}

func rights(oob []byte) ([]int, error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var fds []int
	for i := range msgs {
		got, err := unix.ParseUnixRights(&msgs[i])
		if err != nil {
			continue // credentials and the like carry nothing that must be closed
		}
		fds = append(fds, got...)
	}
	if recvFlags == 0 {
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
	}
	return fds, nil
}

// CloseAll closes descriptors that nobody owns.
func CloseAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// WouldBlock reports whether a call on a non-blocking descriptor must wait.
func WouldBlock(err error) bool { return err == unix.EAGAIN }
