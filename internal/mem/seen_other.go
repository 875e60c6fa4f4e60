//go:build !linux || !race || (!amd64 && !arm64)

package mem

// Only a race build on Linux has something to show to the race detector; see
// seen_race.go.
const canBeSeen = false

func heapRange(int) []byte { return nil }
func returnRange([]byte)   {}

// Begin and End tell the race detector, if there is one, what other processes have to
// do with the segment.
func (s *Segment) Begin() {}

// End does nothing without it.
func (s *Segment) End() {}
