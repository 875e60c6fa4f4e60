package process

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/sys"
)

// minProcesses is the least Config.Processes: below it the Go runtime is refused
// threads that it needs, and ends.
const minProcesses = 64

// checkMachine refuses what this machine cannot keep of the limits in c.
func (c *Config) checkMachine() error {
	switch {
	case c.Processes < 0:
		return fmt.Errorf("tandem: Config.Processes is negative (%d); zero means any number", c.Processes)
	case c.Processes > 0 && c.Processes < minProcesses:
		return fmt.Errorf("tandem: Config.Processes of %d cannot be kept: the threads of a worker count, and it needs some; use at least %d: %w", c.Processes, minProcesses, errors.ErrUnsupported)
	case c.Nice < 0 || c.Nice > 19:
		return fmt.Errorf("tandem: Config.Nice is %d; it is from 0 to 19", c.Nice)
	case c.Nice > 0 && !sys.CanRenice:
		return fmt.Errorf("tandem: Config.Nice cannot be kept on this system: %w", errors.ErrUnsupported)
	}
	if c.Processes > 0 {
		if _, err := processGroups(); err != nil {
			return fmt.Errorf("tandem: Config.Processes cannot be kept here: %w", err)
		}
	}
	if err := c.checkIO(); err != nil {
		return err
	}
	return checkCPUs(c.CPUs)
}

// checkCPUs refuses processors that this process may not use itself: the kernel would
// take those that it may, and not say so.
func checkCPUs(cpus []int) error {
	if cpus == nil {
		return nil
	}
	usable, err := sys.Affinity(0)
	switch {
	case err != nil:
		return fmt.Errorf("tandem: Config.CPUs cannot be kept on this system: %w", errors.ErrUnsupported)
	case len(cpus) == 0:
		return errors.New("tandem: Config.CPUs is empty; nil means those of this process")
	}
	for _, c := range cpus {
		if !slices.Contains(usable, c) {
			return fmt.Errorf("tandem: Config.CPUs has %d, which this process may not use; it may use %v: %w", c, usable, errors.ErrUnsupported)
		}
	}
	return nil
}

// mechanisms words how the limits of a plan are kept on this machine.
func (p *plan) mechanisms() string {
	var all []string
	add := func(on bool, text string) {
		if on {
			all = append(all, text)
		}
	}
	add(p.Limits.Memory > 0, "memory: "+memoryMeans())
	add(p.Limits.CPU > 0, "CPU time: the worker's clock, looked at when it could have used what is left")
	add(p.OpenFiles > 0, "open files: RLIMIT_NOFILE")
	if p.Processes > 0 {
		if dir, err := processGroups(); err == nil {
			add(true, "processes: a pids cgroup for each worker below "+dir.Path())
		}
	}
	add(p.Nice > 0, "nice: setpriority for all threads before the first task")
	add(p.IOClass != IOInherit, "I/O class: ioprio_set for all threads before the first task, for devices whose scheduler heeds it")
	add(len(p.CPUs) > 0, "CPUs: sched_setaffinity for all threads before the first task")
	return joined(all...)
}

// joined is a list for people of what is not empty.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}
