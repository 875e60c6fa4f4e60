package doctor

import (
	"errors"
	"fmt"

	groups "github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/sys"
)

// uses tells which of its ways tandem takes here, by trying each.
func uses() []Row {
	return []Row{
		way("workers", transport(), "a socket pair that passes descriptors",
			"none: package process answers errors.ErrUnsupported; goroutines and threads work"),
		memoryLimit(),
		way("process limit", processes(), "a pids cgroup for each worker",
			"none: Config.Processes is refused with errors.ErrUnsupported"),
		way("OOM killer", oomCounter(), "the kernel's counter tells its victims from others",
			"its victims look as if somebody else had killed them"),
		way("CPU sets", cpuSets(), "sched_setaffinity",
			"none: CPUs are refused with errors.ErrUnsupported"),
		ioClasses(),
		way("shared memory", sharedMemory(), "memfd, sealed, passed by descriptor",
			"none: package shared answers errors.ErrUnsupported"),
	}
}

// way is what is used, or what is done without it and why.
func way(name string, err error, with, without string) Row {
	if err == nil {
		return Row{name, true, with}
	}
	return Row{name, false, without + " (" + err.Error() + ")"}
}

func transport() error {
	a, b, err := sys.Socketpair()
	if err == nil {
		sys.CloseAll([]int{a, b})
	}
	return err
}

// memoryLimit tells the means, what it counts, and how soon it acts.
func memoryLimit() Row {
	const name = "memory limit"
	place, err := groups.Find(groups.Memory, false)
	switch {
	case !sys.CanLimitData:
		return way(name, errors.ErrUnsupported, "", "none: Limits.Memory is refused with errors.ErrUnsupported")
	case err != nil:
		return Row{name, true, "RLIMIT_DATA of the worker, at once, and a look every 10 ms at what got past it; neither shared memory nor a task's processes count: there is no memory cgroup (" + err.Error() + ")"}
	}
	return Row{name, true, fmt.Sprintf("a memory cgroup of version %d for each worker, at once; shared memory and a task's processes count", place.Version())}
}

func processes() error {
	_, err := groups.Find(groups.PIDs, false)
	return err
}

func oomCounter() error {
	var o groups.OOMKills
	if o.Begin(); o.Path == "" {
		return errors.New("no counter was found")
	}
	return nil
}

func cpuSets() error {
	_, err := sys.Affinity(0)
	return err
}

func sharedMemory() error {
	f, err := sys.Memfd("tandem-doctor", 4096)
	if err == nil {
		f.Close()
	}
	return err
}
