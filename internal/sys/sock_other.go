//go:build !unix

package sys

import (
	"errors"
	"fmt"
	"os"
)

var errNoSockets = fmt.Errorf("tandem: processes need socket pairs, which this system does not pass to children: %w", errors.ErrUnsupported)

// Socketpair is not offered on this system.
func Socketpair() (a, b int, err error) { return -1, -1, errNoSockets }

// Datagrams is not offered on this system.
func Datagrams() (a, b int, err error) { return -1, -1, errNoSockets }

// Pipe is not offered on this system.
func Pipe() (r, w int, err error) { return -1, -1, errNoSockets }

// File is not offered on this system.
func File(fd int, name string, polled bool) (*os.File, error) { return nil, errNoSockets }

// CloseOnExec is not needed on this system.
func CloseOnExec(fd int) {}

// Send is not offered on this system.
func Send(fd int, buf []byte, fds []int) (int, error) { return 0, errNoSockets }

// Receiver is not offered on this system.
type Receiver struct{}

// NewReceiver makes a Receiver that receives nothing.
func NewReceiver(fds int) *Receiver { return new(Receiver) }

// Receive is not offered on this system.
func (r *Receiver) Receive(fd int, buf []byte) (n int, fds []int, err error) {
	return 0, nil, errNoSockets
}

// Peek is not offered on this system.
func (r *Receiver) Peek(fd int, buf []byte) (n int, fds []int, err error) {
	return 0, nil, errNoSockets
}

// Skip is not offered on this system.
func Skip(fd, n int) error { return errNoSockets }

// CloseAll closes descriptors that nobody owns.
func CloseAll(fds []int) {}

// WouldBlock reports whether a call on a non-blocking descriptor must wait.
func WouldBlock(err error) bool { return false }
