//go:build !linux

package sys

// LastFD is offered on Linux only, where sandboxes are.
func LastFD() int { return -1 }

// CloseInherited closes nothing on this system.
func CloseInherited(first, last int) {}
