//go:build !tandemdebug

package ring

// defaultSlots is how many calls may wait in one lane.
const defaultSlots = 64
