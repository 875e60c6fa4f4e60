//go:build !race

package sys

// All of these are for the race detector, and do nothing without it; see others_race.go.

// ToOthers comes before what other processes may see.
func ToOthers() {}

// FromOthers follows what other processes have let this one know.
func FromOthers() {}

// Unseen begins what the race detector shall not see.
func Unseen() {}

// Seen ends it.
func Seen() {}
