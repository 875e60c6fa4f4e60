package sys

import (
	"io"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// message is what the kernel wants to be told for one receive. It is kept: made
// anew for each call, as x/sys does, it is three allocations, and the address of
// the sender, which a socket pair does not have.
type message struct {
	header unix.Msghdr
	vector unix.Iovec
}

// receive is recvmsg.
func (r *Receiver) receive(fd int, buf []byte, how uintptr) (n, oobn, flags int, err error) {
	m := &r.message
	// SAFETY: the header is r's, and through it the vector, the caller's buffer and
	// r.oob are reached, all of Go's memory; KeepAlive keeps r while the kernel
	// writes there.
	m.vector.Base = unsafe.SliceData(buf)
	m.vector.SetLen(len(buf))
	m.header.Iov, m.header.Iovlen = &m.vector, 1
	m.header.Control = unsafe.SliceData(r.oob)
	m.header.SetControllen(len(r.oob)) // the kernel overwrites it
	got, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.header)), recvFlags|how)
	runtime.KeepAlive(r)
	m.vector.Base = nil
	if errno != 0 {
		return 0, 0, 0, errno
	}
	return int(got), int(m.header.Controllen), int(m.header.Flags), nil
}

// Peek is the first Receive on a socket, but for the bytes, which stay there to be read
// again. Descriptors come a second time then. What stays does not wake a sender that
// polls for room.
func (r *Receiver) Peek(fd int, buf []byte) (n int, fds []int, err error) {
	return r.receiveAll(fd, buf, unix.MSG_PEEK)
}

// Skip reads n bytes that were peeked at; what came along is dropped.
func Skip(fd, n int) error {
	for buf := make([]byte, n); len(buf) > 0; {
		switch n, err := unix.Read(fd, buf); {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		default:
			buf = buf[n:]
		}
	}
	return nil
}

// send is a send without descriptors. It is cheaper than sendmsg with none, and
// unlike write it raises no signal when the other side is gone.
func send(fd int, buf []byte) (int, error) {
	// SAFETY: buf is the caller's, and alive until the call returns.
	n, _, errno := unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), sendFlags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
