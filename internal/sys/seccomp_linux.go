package sys

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanFilterCalls reports whether InstallFilter works here.
func CanFilterCalls() bool {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	// SAFETY: action lives on this stack until the call returns, and is the four
	// bytes that the kernel reads.
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// InstallFilter puts all threads of this process, and all that it starts later,
// under a filter of system calls, for good. The process must have no new
// privileges.
func InstallFilter(program []unix.SockFilter) error {
	if len(program) == 0 || len(program) > unix.BPF_MAXINSNS {
		return fmt.Errorf("tandem: a filter of %d instructions: %w", len(program), unix.EINVAL)
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// SAFETY: f lives on this stack, and program, which it points to, is kept alive
	// until the call returns; Len is its length.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f)))
	runtime.KeepAlive(program)
	switch {
	case errno != 0:
		return os.NewSyscallError("seccomp", errno)
	case thread != 0:
		return fmt.Errorf("tandem: seccomp: thread %d has another filter: %w", thread, errors.ErrUnsupported)
	}
	return nil
}
