//go:build !linux && !darwin && !windows

package sys

// Gettid is 0: this system does not tell without cgo.
func Gettid() int { return 0 }
