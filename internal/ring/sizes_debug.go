//go:build tandemdebug

package ring

// defaultSlots of the debug twin: a ring that is always about to be full.
const defaultSlots = 4
