package sys

import "golang.org/x/sys/unix"

// Yield lets another thread run on this CPU, if one wants to. It costs a system
// call, or as long as the others run.
//
// RawSyscall: the thread stays runnable, so for the scheduler of the runtime this
// is nothing but being preempted by the kernel.
func Yield() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
