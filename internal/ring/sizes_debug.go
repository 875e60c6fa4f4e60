//go:build tandemdebug

package ring

// defaultSlots of the debug twin: a ring that is always about to be full.
const defaultSlots = 4

// roomSize of the debug twin: many messages do not fit.
const roomSize = 8 << 10
