//go:build !linux

package sys

import (
	"errors"
	"fmt"
)

// CanRenice reports whether Renice works here.
const CanRenice = false

// ReniceThread is not offered on this system.
func ReniceThread(by int) error { return Renice(by) }

// Renice is not offered on this system, where it is not known to reach all threads.
func Renice(by int) error { return fmt.Errorf("tandem: nice: %w", errors.ErrUnsupported) }

// BindAll is not offered on this system.
func BindAll(cpus []int) error { return fmt.Errorf("tandem: CPUs: %w", errors.ErrUnsupported) }
