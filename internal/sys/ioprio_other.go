//go:build !linux

package sys

import (
	"errors"
	"fmt"
)

// The classes of an I/O rank, as Linux counts them.
const (
	IOBestEffort = 2
	IOIdle       = 3
)

// CanRankIO reports whether RankIO works here.
func CanRankIO() bool { return false }

// RankIO is not offered on this system.
func RankIO(class, level int) error {
	return fmt.Errorf("tandem: I/O class: %w", errors.ErrUnsupported)
}

// RankThreadIO is not offered on this system.
func RankThreadIO(class, level int) error { return RankIO(class, level) }
