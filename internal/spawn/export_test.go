package spawn

// Begin is called first in TestMain. Tests that start workers make it tandem.Init, which
// this package cannot import.
var Begin = func() {}

// OnStarter runs f on the thread from which all processes are started.
func OnStarter(f func()) { onStarter(f) }
