package child

import "github.com/tandem-go/tandem/internal/sandbox"

// The bits of a Hello that say which filter of system calls to install.
const (
	filterFlag = 1 << (iota + 4)
	filterNetwork
	filterExec
	filterAlone
)

func filterFlags(c *sandbox.Calls) (flags uint64) {
	if c == nil {
		return 0
	}
	flags = filterFlag
	if c.Network {
		flags |= filterNetwork
	}
	if c.Exec {
		flags |= filterExec
	}
	if c.Alone {
		flags |= filterAlone
	}
	return flags
}

// parseFilter is the inverse of filterFlags.
func parseFilter(flags uint64) *sandbox.Calls {
	if flags&filterFlag == 0 {
		return nil
	}
	return &sandbox.Calls{Network: flags&filterNetwork != 0, Exec: flags&filterExec != 0, Alone: flags&filterAlone != 0}
}

// confine installs the filter of system calls, before anything is decoded that
// knows the task: the variables, the hooks, the first call.
func (w *worker) confine() error {
	if w.hello.Calls == nil {
		return nil
	}
	return w.hello.Calls.Install()
}
