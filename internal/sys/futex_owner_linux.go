package sys

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessStart is when a process started, in the kernel's clock ticks since boot.
// Together with the process id it names one process for ever, to processes in other
// time namespaces, too.
func ProcessStart(pid int) (uint64, error) {
	fields, err := ProcessStat(pid)
	if err != nil {
		return 0, err
	}
	start, err := strconv.ParseInt(fields[StatStart], 10, 64)
	return uint64(start - bootShift()), err
}

// ProcessGone waits until nothing of the process with that id and start can touch its
// memory any more, or until timeout has passed, and reports whether that is so. A
// process that ended and was not yet waited for by its parent is gone; so is one that
// is ending and of which only the kernel's own work is left, which takes the longer
// the more memory it had. It is for a process of which a thread was seen to end with
// it: one that lives can at the same moment lose a thread and get another.
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
	deadline := time.Now().Add(timeout)
	for pause := 20 * time.Microsecond; !processHalted(pid); pause *= 2 {
		rest := max(0, min(pause, time.Until(deadline)))
		ts := unix.NsecToTimespec(int64(rest))
		n, err := unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, &ts, nil)
		if err == nil && n > 0 {
			return true
		}
		if rest == 0 {
			return false
		}
	}
	return true
}

// processHalted reports whether all threads of a process that is ending have begun to
// end: none goes back from the kernel to the program's code then.
func processHalted(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return false // gone, or hidden: the other sign tells
	}
	for _, t := range threads {
		flags, err := threadFlags(dir + t.Name() + "/stat")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil || flags&flagExiting == 0 {
			return false
		}
	}
	return len(threads) > 0
}

// flagExiting is PF_EXITING of the kernel, set in a thread before it gives back its
// memory.
const flagExiting = 4

// threadFlags are the kernel's flags of a thread, the 9th field of its stat.
func threadFlags(stat string) (uint64, error) {
	text, err := ReadText(stat)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 7 {
		return 0, fmt.Errorf("tandem: %s: only %d fields after the name", stat, len(fields))
	}
	return strconv.ParseUint(fields[6], 10, 64)
}

// ThreadLives reports whether there is a thread of that id, in any process.
func ThreadLives(tid int) bool { return !errors.Is(unix.Kill(tid, 0), unix.ESRCH) }

// PIDNamespace identifies the space in which this process's ids are valid.
func PIDNamespace() (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return 0, &os.PathError{Op: "stat", Path: "/proc/self/ns/pid", Err: err}
	}
	return st.Ino, nil
}
