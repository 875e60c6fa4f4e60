//go:build race

package sys

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// others stands for all other processes, for the race detector.
var others uint64

// ToOthers tells the race detector that other processes may see what this goroutine
// has done up to now.
func ToOthers() {
	// SAFETY: the detector takes the address as a name, and does not look at it.
	runtime.RaceReleaseMerge(unsafe.Pointer(&others))
}

// FromOthers tells the race detector that this goroutine has heard of another process,
// and through it perhaps of whatever others may have seen.
func FromOthers() {
	// SAFETY: as in ToOthers.
	runtime.RaceAcquire(unsafe.Pointer(&others))
}

// sharing counts the memory of this process that the detector sees and others have.
var sharing atomic.Int64

// Sharing changes that number.
func Sharing(n int) { sharing.Add(int64(n)) }

// ToCall and FromCall are ToOthers and FromOthers for calls of tasks, which the detector
// need not know of as long as there is no memory in which it would look for their order:
// so it sees more of what they do not put in order on the heap.
func ToCall() {
	if sharing.Load() > 0 {
		ToOthers()
	}
}

// FromCall follows a call.
func FromCall() {
	if sharing.Load() > 0 {
		FromOthers()
	}
}

// Unseen begins, and Seen ends, what puts nothing in order for the race detector though
// it uses atomic operations: which goroutine comes before which is chance there.
func Unseen() { runtime.RaceDisable() }

// Seen ends what Unseen began.
func Seen() { runtime.RaceEnable() }
