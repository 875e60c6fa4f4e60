package tandemtest_test

import (
	"io"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/tandemtest"
)

func TestRings(t *testing.T) {
	tandemtest.Run(t, rings(0), tandemtest.Capabilities{
		OwnMemory: true, Isolation: true, HardStop: true, NeighboursSafe: true, Handles: true, Bounded: true,
		CallMemory: !raceBuild,
	})
}

func TestRingsHybrid(t *testing.T) {
	tandemtest.Run(t, rings(4), tandemtest.Capabilities{
		OwnMemory: true, Isolation: true, HardStop: true, Handles: true, Bounded: true,
	})
}

func rings(threads int) func(t *testing.T) tandem.Runner {
	return func(t *testing.T) tandem.Runner {
		pool := &process.Pool{Workers: 2, Threads: threads, Transport: process.SharedMemory, Config: process.Config{Stderr: io.Discard}}
		t.Cleanup(func() { closed(t, pool) })
		return pool
	}
}
