//go:build !race

package tandemtest

// raceBuild: in race builds the places of this process pass arguments, results
// and errors through their codecs.
const raceBuild = false
