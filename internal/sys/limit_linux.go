package sys

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

var firstData = sync.OnceValues(func() (unix.Rlimit, error) {
	var r unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_DATA, &r)
	return r, err
})

// LimitData bounds the private data of this process (heap, stacks, anonymous
// mappings) in bytes; 0 restores what it was started with. Only the soft limit
// moves, so that a call's own limit can be lifted again.
func LimitData(bytes int64) error {
	r, err := firstData()
	if err != nil {
		return fmt.Errorf("tandem: memory limit: %w", err)
	}
	if bytes > 0 && (r.Max == unix.RLIM_INFINITY || uint64(bytes) <= r.Max) {
		r.Cur = uint64(bytes)
	} else if bytes > 0 {
		return fmt.Errorf("tandem: memory limit of %d bytes: this process may have %d at most: %w", bytes, r.Max, unix.EPERM)
	}
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &r); err != nil {
		return fmt.Errorf("tandem: memory limit: %w", err)
	}
	return nil
}

// CanLimitData reports whether LimitData works here.
const CanLimitData = true
