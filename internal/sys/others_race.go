//go:build race

package sys

import (
	"runtime"
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

// Unseen begins, and Seen ends, what puts nothing in order for the race detector though
// it uses atomic operations: which goroutine comes before which is chance there.
func Unseen() { runtime.RaceDisable() }

// Seen ends what Unseen began.
func Seen() { runtime.RaceEnable() }
