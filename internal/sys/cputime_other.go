//go:build !linux

package sys

import (
	"errors"
	"time"
)

// CPUTime is not offered on this system.
func CPUTime(pid int) (time.Duration, error) { return 0, errors.ErrUnsupported }
