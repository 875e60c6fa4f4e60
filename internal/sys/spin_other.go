//go:build !amd64 && !arm64

package sys

// Pause does nothing: the instruction is not known here.
func Pause() {}
