//go:build !race

package lock

// shadow is empty outside race builds.
type shadow struct{}

func (*shadow) acquire() {}
func (*shadow) release() {}

// Shadowed: this build has shadows, which the race detector sees; shared memory it
// does not.
const Shadowed = false
