//go:build race

package tandem

const roundTrip = true
