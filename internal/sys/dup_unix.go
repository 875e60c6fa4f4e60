//go:build unix

package sys

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Dup returns a second descriptor of what f refers to.
func Dup(f *os.File) (*os.File, error) {
	fd, err := dup(f)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// Polled is Dup of what f refers to for the runtime's poller.
func Polled(f *os.File) (*os.File, error) {
	fd, err := dup(f)
	if err != nil {
		return nil, err
	}
	return File(fd, f.Name(), true)
}

func dup(f *os.File) (int, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("tandem: duplicating %s: %w", f.Name(), err)
	}
	var fd int
	var dupErr error
	if err := raw.Control(func(old uintptr) {
		fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		dupErr = err
	}
	if dupErr != nil {
		return -1, fmt.Errorf("tandem: duplicating %s: %w", f.Name(), dupErr)
	}
	return fd, nil
}
