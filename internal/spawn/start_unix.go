//go:build unix && !linux

package spawn

import "syscall"

// attributes of a new process, and the function that waits for its end: it cannot,
// so Proc.reap blocks a thread. Without a parent-death signal a
// worker ends when it reads end of file from its channel.
func attributes(worker bool) (*syscall.SysProcAttr, func() bool) {
	return &syscall.SysProcAttr{Setpgid: worker, Setsid: !worker}, func() bool { return false }
}
