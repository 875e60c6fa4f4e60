package sys

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessStart is when a process started, in the kernel's clock ticks since boot.
// Together with the process id it names one process for ever.
func ProcessStart(pid int) (uint64, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, with anything in it;
	// the start is the 22nd field, the 20th after that.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("tandem: /proc/%d/stat: only %d fields after the name", pid, len(fields))
	}
	return strconv.ParseUint(string(fields[19]), 10, 64)
}

// ProcessGone waits until the process with that id and start has ended, all its
// threads included, or until timeout has passed, and reports whether it is gone.
// A process that ended and was not yet waited for by its parent is gone.
func ProcessGone(pid int, start uint64, timeout time.Duration) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return true
	}
	if err == nil {
		defer unix.Close(fd)
	}
	if now, startErr := ProcessStart(pid); startErr != nil || now != start {
		return true // its id is free, or belongs to another already
	}
	if err != nil {
		// A kernel before 5.3, or one that forbids pidfd: whoever asks will ask again.
		time.Sleep(timeout)
		return false
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(timeout/time.Millisecond))
	return err == nil && n > 0
}

// PIDNamespace identifies the space in which this process's ids are valid.
func PIDNamespace() (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return 0, &os.PathError{Op: "stat", Path: "/proc/self/ns/pid", Err: err}
	}
	return st.Ino, nil
}
