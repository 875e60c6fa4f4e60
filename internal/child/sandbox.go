package child

import "github.com/tandem-go/tandem/internal/sandbox"

func filterFlags(c *sandbox.Calls) (flags uint64) {
	if c == nil {
		return 0
	}
	flags = flagFilter
	if c.Network {
		flags |= flagFilterNetwork
	}
	if c.Exec {
		flags |= flagFilterExec
	}
	if c.Alone {
		flags |= flagFilterAlone
	}
	return flags
}

// parseFilter is the inverse of filterFlags.
func parseFilter(flags uint64) *sandbox.Calls {
	if flags&flagFilter == 0 {
		return nil
	}
	return &sandbox.Calls{Network: flags&flagFilterNetwork != 0, Exec: flags&flagFilterExec != 0, Alone: flags&flagFilterAlone != 0}
}

// confine installs the filter of system calls, before anything is decoded that
// knows the task: the variables, the hooks, the first call.
func (w *worker) confine() error {
	if w.hello.Calls == nil {
		return nil
	}
	return w.hello.Calls.Install()
}
