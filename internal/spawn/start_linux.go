package spawn

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes of a new process, and the function that waits for its end. A worker
// leads a process group and dies with this process; the warden leads a session,
// so that no terminal reaches it, and must not die.
func attributes(worker bool) (*syscall.SysProcAttr, func() bool) {
	pidfd := -1
	attr := &syscall.SysProcAttr{PidFD: &pidfd}
	if worker {
		attr.Setpgid, attr.Pdeathsig = true, syscall.SIGKILL
	} else {
		attr.Setsid = true
	}
	return attr, func() bool { return awaitPidfd(pidfd) }
}

// awaitPidfd waits in the runtime's poller: a thousand workers cost no thread.
// On a kernel before 5.4 it cannot.
func awaitPidfd(fd int) (ended bool) {
	if fd < 0 {
		return false
	}
	if unix.SetNonblock(fd, true) != nil {
		unix.Close(fd)
		return false
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Read(func(fd uintptr) bool {
		var info unix.Siginfo
		for {
			err := unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
			if err != unix.EINTR {
				ended = err == nil && info.Signo != 0
				return err != nil || ended
			}
		}
	})
	return err == nil && ended
}
