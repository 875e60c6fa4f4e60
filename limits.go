package tandem

import (
	"errors"
	"fmt"
	"time"
)

// Limits bounds one call. A zero field is no limit. A place that cannot keep a
// limit refuses the call with an error that wraps [errors.ErrUnsupported].
type Limits struct {
	// Time is how long the task may run, counted from its start in the worker
	// (time spent in a queue does not count; a context's deadline includes it).
	// After Time the task's context is cancelled, after Grace more its process
	// group is killed. The call's error is ErrTimeout.
	Time time.Duration

	// CPU is how much processor time the task may use (Linux), in which waiting does
	// not count and a second of two busy threads counts twice. After it the task ends
	// as after Time; the call's error is ErrCPU. Counted is the whole worker process
	// while the call runs: the garbage collector and what earlier tasks left running
	// too, but not the processes that a task starts. A process that runs several
	// calls at once cannot tell whose time it is, and refuses.
	CPU time.Duration

	// Grace is how long a task that was asked to stop, by a limit or by its
	// context, may take before it is killed. Zero means one second, a negative
	// value kills at once.
	Grace time.Duration

	// Memory bounds the memory of the worker process in bytes (Linux). About 40 MiB of
	// it are the Go runtime's. Whoever breaks it dies, and the error is ErrMemory. Less
	// than 64 MiB is refused.
	//
	// A worker of a Pool or a process with this limit gets a memory cgroup of its own
	// where one can be made: shared memory, pages of files and the processes that a task
	// starts count too, the kernel gives no page beyond the limit, and the worker ends
	// with all its children when one of them needs it. In a binary without C code there
	// is RLIMIT_DATA beside it, on private heap and stacks of the worker alone; nothing
	// else there is where no cgroup can be made, and for a call with a limit in a pool
	// without. The kernel lets one allocation pass that begins below that; a watch, every
	// 10 ms while a call runs, ends what got through. Pool.Stats and tandem doctor say
	// which of the two is in force.
	Memory int64

	// Output bounds the encoded result of a task in bytes. A larger one is
	// replaced by an error that wraps ErrTooLarge.
	Output int64
}

// MinMemory is the least value of Limits.Memory that is accepted: below it the
// Go runtime itself does not fit.
const MinMemory = 64 << 20

// Check reports the first field that makes no sense.
func (l Limits) Check() error {
	switch {
	case l.Time < 0:
		return fmt.Errorf("tandem: Limits.Time is negative (%v); zero means no limit", l.Time)
	case l.CPU < 0:
		return fmt.Errorf("tandem: Limits.CPU is negative (%v); zero means no limit", l.CPU)
	case l.Memory < 0:
		return fmt.Errorf("tandem: Limits.Memory is negative (%d); zero means no limit", l.Memory)
	case l.Memory > 0 && l.Memory < MinMemory:
		return fmt.Errorf("tandem: Limits.Memory of %d bytes cannot be kept: a Go process needs about 40 MiB for itself; use at least %d: %w", l.Memory, int64(MinMemory), errors.ErrUnsupported)
	case l.Output < 0:
		return fmt.Errorf("tandem: Limits.Output is negative (%d); zero means no limit", l.Output)
	}
	return nil
}

// Or returns l with its zero fields taken from d.
func (l Limits) Or(d Limits) Limits {
	if l.Time == 0 {
		l.Time = d.Time
	}
	if l.CPU == 0 {
		l.CPU = d.CPU
	}
	if l.Grace == 0 {
		l.Grace = d.Grace
	}
	if l.Memory == 0 {
		l.Memory = d.Memory
	}
	if l.Output == 0 {
		l.Output = d.Output
	}
	return l
}

// GraceTime is Grace with its zero value resolved: what is left to a task
// between the request to stop and the kill.
func (l Limits) GraceTime() time.Duration {
	switch {
	case l.Grace < 0:
		return 0
	case l.Grace == 0:
		return time.Second
	}
	return l.Grace
}
