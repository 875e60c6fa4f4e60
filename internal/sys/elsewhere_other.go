//go:build !linux

package sys

// Elsewhere would move the calling thread to another CPU; only Linux can.
func Elsewhere(int) bool { return false }
