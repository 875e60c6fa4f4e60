//go:build !linux

package sys

import (
	"errors"
	"fmt"
)

// LimitData is not offered on this system: its kernel does not count private
// data against a limit.
func LimitData(bytes int64) error {
	if bytes == 0 {
		return nil
	}
	return fmt.Errorf("tandem: memory limit: %w", errors.ErrUnsupported)
}

// DataSize is not offered on this system.
func DataSize(pid int) (int64, error) { return 0, errors.ErrUnsupported }

// Resident is not offered on this system.
func Resident(pid int) (int64, error) { return 0, errors.ErrUnsupported }

// CanLimitData reports whether LimitData works here.
const CanLimitData = false
