//go:build !race

package lock

// shadow is empty outside race builds.
type shadow struct{}

func (*shadow) acquire() {}
func (*shadow) release() {}

const shadowed = false
