//go:build race && linux

package ring_test

const raceEnabled = true
