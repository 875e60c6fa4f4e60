package tandemtest_test

import (
	"io"
	"os"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/tandemtest"
	"github.com/tandem-go/tandem/thread"
)

func TestMain(m *testing.M) {
	tandem.Init()
	// At its end every process of a race build sleeps a second for late races; a
	// thousand workers must not.
	os.Setenv("GORACE", "atexit_sleep_ms=10")
	os.Exit(m.Run())
}

func TestInline(t *testing.T) {
	tandemtest.Run(t, func(*testing.T) tandem.Runner { return tandem.Inline }, tandemtest.Capabilities{Handles: true})
}

func TestGoroutines(t *testing.T) {
	tandemtest.Run(t, func(*testing.T) tandem.Runner { return tandem.Goroutines(3) },
		tandemtest.Capabilities{Handles: true, Bounded: true})
}

func TestThreads(t *testing.T) {
	tandemtest.Run(t, func(t *testing.T) tandem.Runner {
		pool := &thread.Pool{Threads: 3}
		t.Cleanup(func() { closed(t, pool) })
		return pool
	}, tandemtest.Capabilities{Handles: true, Bounded: true})
}

func TestProcesses(t *testing.T) {
	tandemtest.Run(t, processes(0), tandemtest.Capabilities{
		OwnMemory: true, Isolation: true, HardStop: true, NeighboursSafe: true, Handles: true, Bounded: true,
		CallMemory: !raceBuild,
	})
}

func TestHybrid(t *testing.T) {
	tandemtest.Run(t, processes(4), tandemtest.Capabilities{
		OwnMemory: true, Isolation: true, HardStop: true, Handles: true, Bounded: true,
	})
}

// Retry changes nothing of what the place does.
func TestRetry(t *testing.T) {
	place := processes(0)
	tandemtest.Run(t, func(t *testing.T) tandem.Runner { return tandem.Retry{Place: place(t)} }, tandemtest.Capabilities{
		OwnMemory: true, Isolation: true, HardStop: true, NeighboursSafe: true, Handles: true, Bounded: true,
		CallMemory: !raceBuild,
	})
}

func processes(threads int) func(t *testing.T) tandem.Runner {
	return func(t *testing.T) tandem.Runner {
		pool := &process.Pool{Workers: 2, Threads: threads, Config: process.Config{Stderr: io.Discard}}
		t.Cleanup(func() { closed(t, pool) })
		return pool
	}
}

func closed(t *testing.T, c io.Closer) {
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
