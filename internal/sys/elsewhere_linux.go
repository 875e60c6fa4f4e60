package sys

import (
	"bytes"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Elsewhere moves the calling thread, which shares cpu with another that wants to run,
// to another CPU of those it may use, and reports whether it did. It does so only if
// the machine has no more threads that want to run than the thread has CPUs, so that
// one of them idles: about 10 µs. The CPUs that the thread may use are the same
// afterwards; whoever changes them in the same moment may find that undone.
//
// The kernel would do it too, when its balancing finds the two, after some 16 ms. A wake
// does not: it looks for an idle CPU only if few are busy.
func Elsewhere(cpu int) bool {
	var usable unix.CPUSet
	if cpu < 0 || unix.SchedGetaffinity(0, &usable) != nil || !usable.IsSet(cpu) {
		return false
	}
	n := usable.Count()
	if n < 2 {
		return false
	}
	if running, ok := runnable(); !ok || running > n {
		return false
	}
	runtime.LockOSThread() // both calls are this thread's
	defer runtime.UnlockOSThread()
	others := usable
	others.Clear(cpu)
	if unix.SchedSetaffinity(0, &others) != nil {
		return false
	}
	unix.SchedSetaffinity(0, &usable)
	return true
}

// runnable is how many threads of the machine run or want to.
func runnable() (n int, ok bool) {
	fd, err := unix.Open("/proc/loadavg", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var text [128]byte
	size, err := unix.Read(fd, text[:])
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text[:size]) // three means, running/all, last PID
	if len(fields) < 4 {
		return 0, false
	}
	running, _, ok := bytes.Cut(fields[3], []byte("/"))
	if n, err = strconv.Atoi(string(running)); err != nil {
		return 0, false
	}
	return n, ok
}
