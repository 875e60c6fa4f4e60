package sys

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
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

// DataSize is the private data of a process in bytes, as LimitData counts it.
func DataSize(pid int) (int64, error) {
	pages, err := statm(pid)
	return pages[5] * int64(os.Getpagesize()), err
}

// Resident is how much memory a process has in use that it shares with no file and no
// other process, in bytes.
func Resident(pid int) (int64, error) {
	pages, err := statm(pid)
	return (pages[1] - pages[2]) * int64(os.Getpagesize()), err
}

// statm reads the sizes of a process in pages, in the kernel's order: all, resident,
// of which shared, code, unused, data.
func statm(pid int) (pages [6]int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return pages, err
	}
	f := bytes.Fields(b)
	if len(f) < len(pages) {
		return pages, fmt.Errorf("tandem: /proc/%d/statm: %q", pid, b)
	}
	for i := range pages {
		if pages[i], err = strconv.ParseInt(string(f[i]), 10, 64); err != nil {
			return pages, fmt.Errorf("tandem: /proc/%d/statm: %w", pid, err)
		}
	}
	return pages, nil
}

// CanLimitData reports whether LimitData works here.
const CanLimitData = true
