package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NewAlarm makes two ends: who sleeps in the runtime's poller by the one, which another
// process gets, is woken by Sound on the other. Both close on exec and are the
// caller's. Nothing that has the far end can make Sound block, as it could with an
// eventfd, whose flags both sides would share.
func NewAlarm() (near int, far *os.File, err error) {
	a, b, err := Datagrams()
	if err != nil {
		return -1, nil, err
	}
	return a, os.NewFile(uintptr(b), "alarm"), nil
}

// Sound wakes who sleeps by the other end of an alarm. If nobody has looked there for
// long it does nothing. It costs one system call, of which the scheduler is not told,
// and does not block.
func Sound(near int) {
	var b byte
	// SAFETY: b is a local, alive until the call returns.
	unix.RawSyscall6(unix.SYS_SENDTO, uintptr(near), uintptr(unsafe.Pointer(&b)), 1, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
}

// Hush takes what Sound has left at the far end, so that there is room for more.
func Hush(far int) {
	for {
		var b byte
		// SAFETY: b is a local, alive until the call returns.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(far), uintptr(unsafe.Pointer(&b)), 1, unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 || n == 0 {
			return
		}
	}
}
