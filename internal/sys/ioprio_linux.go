package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// CanRankIO reports whether RankIO works here: some sandboxes that stand for a kernel
// lack the call.
func CanRankIO() bool {
	_, err := IORank(0)
	return err == nil
}

// The classes of an I/O rank, as the kernel counts them. Level 0 is the first of eight.
const (
	IOBestEffort = 2
	IOIdle       = 3
	ioClassShift = 13
)

// which of ioprio_set: the id is a thread's.
const ioOfThread = 1

// RankIO sets the class and the level of the reads and writes of all threads of this
// process. Threads that are started later have those of the one that starts them.
func RankIO(class, level int) error {
	return eachThread(func(tid int) error { return rankThread(tid, class, level) })
}

// RankThreadIO is RankIO for this thread alone, and what it starts.
func RankThreadIO(class, level int) error { return rankThread(0, class, level) }

func rankThread(tid, class, level int) error {
	_, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioOfThread, uintptr(tid), uintptr(class<<ioClassShift|level))
	if errno != 0 {
		return os.NewSyscallError("ioprio_set", errno)
	}
	return nil
}

// IORank is the class in the bits from 13 on, and below them the level, of a thread;
// tid 0 is the calling one. Class 0 is none: the rank comes of the priority.
func IORank(tid int) (int, error) {
	rank, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, ioOfThread, uintptr(tid), 0)
	if errno != 0 {
		return 0, os.NewSyscallError("ioprio_get", errno)
	}
	return int(rank), nil
}
