package sys

import (
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NewEventfd makes a descriptor on which Ring of any process that has it can be
// waited for by the runtime's poller. It closes on exec and is the caller's.
func NewEventfd() (*os.File, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	return os.NewFile(uintptr(fd), "eventfd"), nil
}

// one is what Ring adds to the counter.
var one = binary.NativeEndian.AppendUint64(nil, 1)

// Ring is an event for whoever waits for fd, an eventfd. Each call is a new one
// for a poller that looks for edges, as the runtime's does: nobody has to read.
// It costs one system call and does not block.
func Ring(fd int) error {
	for {
		// SAFETY: one is never written, and alive for ever.
		_, _, err := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(one))), uintptr(len(one)))
		switch err {
		case 0:
			return nil
		case unix.EINTR:
		case unix.EAGAIN: // the counter is full: somebody wrote a number of his own
			var b [8]byte
			unix.Read(fd, b[:])
		default:
			return os.NewSyscallError("write", err)
		}
	}
}

// TakeFD moves the descriptor of an eventfd out of f, which is closed: a process
// that only rings must not have its own poller woken by it. CloseFD closes it.
func TakeFD(f *os.File) (int, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	return fd, os.NewSyscallError("fcntl", err)
}

// CloseFD closes what TakeFD returned.
func CloseFD(fd int) error { return os.NewSyscallError("close", unix.Close(fd)) }
