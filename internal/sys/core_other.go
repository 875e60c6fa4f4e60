//go:build !linux

package sys

import (
	"errors"
	"fmt"
)

// MaxCore is not offered on this system.
func MaxCore() (int64, error) { return 0, LimitCore(0) }

// LimitCore is not offered on this system.
func LimitCore(bytes int64) error { return fmt.Errorf("tandem: core dumps: %w", errors.ErrUnsupported) }
