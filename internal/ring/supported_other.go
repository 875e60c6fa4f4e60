//go:build !linux

package ring

// Supported says whether rings exist on this system. Here they do not: every
// function that would make one answers errors.ErrUnsupported.
const Supported = false
