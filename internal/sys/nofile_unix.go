//go:build unix

package sys

import (
	"fmt"
	"syscall"
)

// LimitFiles bounds the descriptors of this process, for good, and those of what it
// starts. It goes through package syscall, which otherwise gives to each process that
// is started the limit that this one was started with.
func LimitFiles(n int) error {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return fmt.Errorf("tandem: limit of open files: %w", err)
	}
	if most := uint64(r.Max); uint64(n) > most {
		return fmt.Errorf("tandem: limit of open files: %d is more than this process may have, which is %d", n, most)
	}
	setLimit(&r.Cur, n)
	setLimit(&r.Max, n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return fmt.Errorf("tandem: limit of open files: %w", err)
	}
	return nil
}

// setLimit: the fields have another type on FreeBSD.
func setLimit[T int64 | uint64](field *T, n int) { *field = T(n) }

// CanLimitFiles reports whether LimitFiles works here.
const CanLimitFiles = true
