//go:build !tandemdebug

package ring

// defaultSlots is how many calls may wait in one lane.
const defaultSlots = 64

// roomSize is more than what an argument can be whose large parts go aside (64 KiB is
// where they begin to), but for those of many parts.
const roomSize = 68 << 10
