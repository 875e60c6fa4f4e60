//go:build linux

package sys

// For tests that must not try the real thing.
var (
	Enough          = enough
	AvailableMemory = availableMemory
)
