package spawn

// Begin is called first in TestMain. Tests that start workers make it tandem.Init, which
// this package cannot import.
var Begin = func() {}
