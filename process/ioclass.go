package process

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/sys"
)

// IOClass is how the reads and writes of a process rank with those of others.
type IOClass uint8

const (
	// IOInherit leaves the class as it is in this process.
	IOInherit IOClass = iota
	// IOBestEffort is the class of ordinary processes. Config.IOLevel orders those in it.
	IOBestEffort
	// IOIdle waits until nobody else wants the device. On a busy one that may be never.
	IOIdle
)

// maxIOLevel is the last of the levels of best effort.
const maxIOLevel = 7

// checkIO reports what of the I/O class makes no sense or cannot be kept here.
func (c *Config) checkIO() error {
	switch {
	case c.IOClass > IOIdle:
		return fmt.Errorf("tandem: Config.IOClass is %d; it is IOInherit, IOBestEffort or IOIdle", c.IOClass)
	case c.IOLevel < 0 || c.IOLevel > maxIOLevel:
		return fmt.Errorf("tandem: Config.IOLevel is %d; it is from 0, the first, to %d", c.IOLevel, maxIOLevel)
	case c.IOLevel > 0 && c.IOClass != IOBestEffort:
		return errors.New("tandem: Config.IOLevel is set without IOBestEffort, the one class that has levels")
	case c.IOClass != IOInherit && !sys.CanRankIO():
		return fmt.Errorf("tandem: Config.IOClass cannot be kept on this system: %w", errors.ErrUnsupported)
	}
	return nil
}

// rank is the class as the kernel counts it, 0 for none.
func (c IOClass) rank() int {
	switch c {
	case IOBestEffort:
		return sys.IOBestEffort
	case IOIdle:
		return sys.IOIdle
	}
	return 0
}
