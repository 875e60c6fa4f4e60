package sys

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWake       = 1
	futexWaitBitset = 9
	futexWakeBitset = 10
)

// FutexWait sleeps while *addr is val, until a wake. It returns nil when woken,
// when *addr was not val, and now and then for no reason, so the caller looks
// again; os.ErrDeadlineExceeded when timeout (none if negative) has passed. addr
// lies in memory that processes share. mark, which is not 0, is for
// FutexInterrupt.
//
// The wait goes through Syscall: the scheduler must know that this thread
// sleeps. In a RawSyscall it would hold its processor, and the garbage collector
// would wait for it.
func FutexWait(addr *uint32, val, mark uint32, timeout time.Duration) error {
	var until *unix.Timespec
	if timeout >= 0 {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			return os.NewSyscallError("clock_gettime", err)
		}
		t := unix.NsecToTimespec(now.Nano() + int64(timeout))
		until = &t
	}
	// SAFETY: addr is the caller's and 4-aligned, as every *uint32; until is nil or
	// a local. The conversions inside the call keep both alive while it blocks.
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), futexWaitBitset,
		uintptr(val), uintptr(unsafe.Pointer(until)), 0, uintptr(mark))
	switch errno {
	case 0, unix.EAGAIN, unix.EINTR:
		return nil
	case unix.ETIMEDOUT:
		return os.ErrDeadlineExceeded
	}
	return os.NewSyscallError("futex", errno)
}

// FutexWake wakes up to n sleepers and returns how many it woke. It costs a
// system call even if nobody sleeps.
func FutexWake(addr *uint32, n int) (int, error) {
	return futex(addr, futexWake, n, 0)
}

// FutexInterrupt wakes the sleepers whose mark has a bit in common with mark, so
// that one of them can be called away without a wake being spent on the others. It
// returns how many it woke.
func FutexInterrupt(addr *uint32, mark uint32) (int, error) {
	return futex(addr, futexWakeBitset, 1<<30, mark)
}

func futex(addr *uint32, op uintptr, n int, mark uint32) (int, error) {
	// SAFETY: addr is the caller's and 4-aligned; the conversion inside the call
	// keeps it alive. A wake does not block for long: RawSyscall would do, but the
	// page may have to be brought in.
	r, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), op, uintptr(n), 0, 0, uintptr(mark))
	if errno != 0 {
		return 0, os.NewSyscallError("futex", errno)
	}
	return int(r), nil
}
