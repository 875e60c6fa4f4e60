//go:build unix

package spawn

import (
	"os"
	"syscall"
)

func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

// reapGroup reaps what a worker's tasks had started and its death left behind, which
// the first process of a container inherits and nobody else would reap. It returns
// when the group is empty. The rest of a program's children may be os/exec's, and are
// not touched.
func reapGroup(pid int) {
	for {
		if _, err := syscall.Wait4(-pid, nil, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

// KillSelf ends this worker and its process group; it does not return.
func KillSelf() {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		killGroup(pid)
	}
	os.Exit(1)
}
