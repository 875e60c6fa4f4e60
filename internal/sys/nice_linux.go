package sys

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// CanRenice reports whether Renice works here.
const CanRenice = true

// Renice lowers the priority of all threads of this process by so much. Threads that
// are started later have the priority of the one that starts them.
func Renice(by int) error {
	value, err := lower(by)
	if err != nil {
		return err
	}
	return eachThread(func(tid int) error {
		return os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, tid, value))
	})
}

// ReniceThread is Renice for this thread alone, and what it starts.
func ReniceThread(by int) error {
	value, err := lower(by)
	if err == nil {
		err = os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, 0, value))
	}
	return err
}

// lower is the priority of this thread, lowered by so much.
func lower(by int) (value int, err error) {
	old, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0, fmt.Errorf("tandem: nice: %w", err)
	}
	// The system call answers 20 minus the value, so that no value looks like an error.
	return min(20-old+by, 19), nil
}

// BindAll binds all threads of this process to a set of CPUs; see SetAffinity. Threads
// that are started later are bound as the one that starts them.
func BindAll(cpus []int) error {
	return eachThread(func(tid int) error { return SetAffinity(tid, cpus) })
}

// eachThread does f for each thread of this process, until there is none for which it
// was not done: what a thread starts before its turn comes is found in the next round.
func eachThread(f func(tid int) error) error {
	done := map[string]bool{}
	for again := true; again; {
		again = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("tandem: the threads of this process: %w", err)
		}
		for _, t := range threads {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || done[t.Name()] {
				continue
			}
			if err := f(tid); err != nil && ThreadAlive(tid) {
				return err
			}
			done[t.Name()], again = true, true
		}
	}
	return nil
}
