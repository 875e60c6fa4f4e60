package sys

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// MaxCore is the largest core dump that this process may ask for, in bytes.
func MaxCore() (int64, error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &r); err != nil {
		return 0, fmt.Errorf("tandem: core dumps: %w", err)
	}
	return int64(min(r.Max, math.MaxInt64)), nil
}

// LimitCore makes the system write core dumps of this process, of so many bytes at most.
func LimitCore(bytes int64) error {
	var r unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_CORE, &r)
	if err == nil {
		r.Cur = uint64(bytes)
		err = unix.Setrlimit(unix.RLIMIT_CORE, &r)
	}
	if err != nil {
		return fmt.Errorf("tandem: core dumps: %w", err)
	}
	return nil
}
