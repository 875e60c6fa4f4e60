//go:build !linux || !amd64

package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
)

func offer() offered {
	return offered{none: fmt.Errorf("tandem: Config.Sandbox needs Linux on amd64; this is %s on %s: %w", runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)}
}

// Confine is offered on Linux on amd64 only.
func (p *Policy) Confine(attr *syscall.SysProcAttr) (undo func(), err error) {
	return nil, offer().none
}

// Refused is never true on this system.
func Refused(error) bool { return false }

// Install is offered on Linux on amd64 only.
func (c Calls) Install() error { return offer().none }
