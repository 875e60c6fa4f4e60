package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Doze sleeps for d, or less after a signal, and blocks its thread: no timer of the
// runtime, which would begin with making the poller's descriptors.
func Doze(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	unix.Nanosleep(&t, nil)
}
