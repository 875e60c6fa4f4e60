//go:build !unix

package spawn

import (
	"os"
	"syscall"
)

func attributes(worker bool) (*syscall.SysProcAttr, func() bool) {
	return &syscall.SysProcAttr{}, func() bool { return false }
}

func killGroup(pid int) {}

func reapGroup(pid int) {}

// KillSelf ends this worker; it does not return.
func KillSelf() { os.Exit(1) }
