//go:build !unix

package tandemtest

// blockThread blocks for ever.
func blockThread() { select {} }
