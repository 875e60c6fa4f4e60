package sys

import "golang.org/x/sys/unix"

// MonotonicNow is the time in nanoseconds since some moment that is the same for
// all processes of this machine (of this time namespace). It costs a system call;
// later times follow from time.Since.
func MonotonicNow() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return t.Nano()
}
