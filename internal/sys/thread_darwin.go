package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Gettid is the system's id of the calling thread.
func Gettid() int {
	id, _, _ := syscall.RawSyscall(unix.SYS_THREAD_SELFID, 0, 0, 0)
	return int(id)
}
