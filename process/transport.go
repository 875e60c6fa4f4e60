package process

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/ring"
)

// Transport is the way that calls take to a worker and back. The results are the
// same on each.
type Transport int

const (
	// Auto is SharedMemory where the system has it (Linux), and otherwise Sockets.
	Auto Transport = iota

	// Sockets sends each call and each result through a socket: two system calls
	// and a wake for each, 10 to 60 µs there and back.
	Sockets

	// SharedMemory passes calls through rings in memory that both sides map, about
	// a microsecond there and back while both are busy, and a few of them for up to
	// 64 KiB. The content of slices and strings of 64 KiB and more lies in memory that
	// is used again and again, at most a quarter of the machine's, and idle for at most
	// 10 s. What is large otherwise, holds descriptors, or finds no room takes the
	// socket beside it. A lane that has carried more than 4 KiB at once keeps up to
	// 204 KiB for that. A waiting side stays awake for up to 50 µs, on at most CPUs-1
	// processors in the whole tree of processes, and then sleeps. It is refused where
	// the system lacks it, and for more than 59 threads in a worker.
	SharedMemory
)

func (t Transport) String() string {
	switch t {
	case Auto:
		return "auto"
	case Sockets:
		return "sockets"
	case SharedMemory:
		return "shared memory"
	}
	return fmt.Sprintf("Transport(%d)", int(t))
}

// rings reports whether t means rings, for workers with so many threads.
func (t Transport) rings(threads int) (bool, error) {
	const most = child.MaxLanes - child.RingFiles
	switch {
	case t < Auto || t > SharedMemory:
		return false, fmt.Errorf("tandem: Pool.Transport is %v; use Auto, Sockets or SharedMemory", t)
	case t == Sockets, t == Auto && (!ring.Supported || threads > most):
		return false, nil
	case !ring.Supported:
		return false, fmt.Errorf("tandem: Pool.Transport: rings in shared memory need Linux: %w", errors.ErrUnsupported)
	case threads > most:
		return false, fmt.Errorf("tandem: Pool.Threads is %d; a worker with SharedMemory has at most %d: use more workers: %w", threads, most, errors.ErrUnsupported)
	}
	return true, nil
}
