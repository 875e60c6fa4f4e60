package sys

import (
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// LastFD is a number that no open descriptor of this process is above.
func LastFD() int {
	last := -1
	if dir, err := os.Open("/proc/self/fd"); err == nil {
		names, err := dir.Readdirnames(-1)
		dir.Close()
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil {
				last = max(last, fd)
			}
		}
		if err == nil && last >= 0 {
			return last
		}
	}
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return math.MaxInt16
	}
	return int(min(r.Cur, 1<<20)) // what the kernel allows at most if nobody has raised it
}

// CloseInherited closes the descriptors from first to last that this process was
// started with. They are those without the mark close-on-exec: whatever a Go
// program opens itself has it.
func CloseInherited(first, last int) {
	for fd := first; fd <= last; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
}
