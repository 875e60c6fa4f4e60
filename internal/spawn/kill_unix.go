//go:build unix

package spawn

import (
	"os"
	"syscall"
)

func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

// KillSelf ends this worker and its process group; it does not return.
func KillSelf() {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		killGroup(pid)
	}
	os.Exit(1)
}
