package sys

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MostFutexes is how many words one thread can sleep on at once.
const MostFutexes = 128

// Futex is a word and the value that it has as long as one sleeps on it, in the
// kernel's layout.
type Futex struct {
	val      uint64
	addr     *uint32 // its 64 bits, on machines of 64 bits
	flags    uint32
	reserved uint32
}

const futexOfSize32 = 2 // FUTEX2_SIZE_U32

// NewFutex is for FutexWaitMany.
func NewFutex(addr *uint32, val uint32) Futex {
	return Futex{val: uint64(val), addr: addr, flags: futexOfSize32}
}

// FutexWaitMany is FutexWait for up to MostFutexes words at once, on a Linux from 5.16
// on; elsewhere its error is errors.ErrUnsupported. Every mark of FutexInterrupt wakes
// it. It returns the index of a word that was woken, or -1; when several are woken at
// once, it is that of one of them.
func FutexWaitMany(words []Futex, timeout time.Duration) (woken int, err error) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		return -1, errors.ErrUnsupported
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return -1, os.NewSyscallError("clock_gettime", err)
	}
	until := unix.NsecToTimespec(now.Nano() + int64(timeout))
	// SAFETY: the layout is the kernel's struct futex_waitv on machines of 64 bits, and
	// words is not empty, or the kernel refuses it before it reads. The conversions
	// inside the call keep words, what they point to, and until alive while it blocks.
	i, _, errno := unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(unsafe.SliceData(words))), uintptr(len(words)),
		0, uintptr(unsafe.Pointer(&until)), unix.CLOCK_MONOTONIC, 0)
	switch errno {
	case 0:
		return int(i), nil
	case unix.EAGAIN, unix.EINTR:
		return -1, nil
	case unix.ETIMEDOUT:
		return -1, os.ErrDeadlineExceeded
	case unix.ENOSYS, unix.EPERM:
		return -1, errors.ErrUnsupported
	}
	return -1, os.NewSyscallError("futex_waitv", errno)
}
