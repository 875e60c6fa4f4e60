//go:build !linux

package sys

// ResidentTrees is not offered on this system.
func ResidentTrees(pids []int) map[int]int64 { return nil }

// HasSwap is not asked on this system.
func HasSwap() bool { return false }
