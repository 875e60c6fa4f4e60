//go:build !unix

package spawn

import (
	"os"
	"syscall"
)

func attributes(worker bool) (*syscall.SysProcAttr, func()) {
	return &syscall.SysProcAttr{}, func() {}
}

func killGroup(pid int) {}

// KillSelf ends this worker; it does not return.
func KillSelf() { os.Exit(1) }
