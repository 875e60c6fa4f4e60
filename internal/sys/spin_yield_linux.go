package sys

import "syscall"

// Yield lets another thread run on this CPU, if one wants to. It costs a system
// call, or as long as the others run.
//
// RawSyscall: the thread stays runnable, so for the scheduler of the runtime this
// is nothing but being preempted by the kernel.
//
// It is that of package syscall: x/sys would put a jump in front of it.
func Yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
