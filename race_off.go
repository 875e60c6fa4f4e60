//go:build !race

package tandem

// roundTrip makes the in-process places pass arguments, results and errors
// through the codec, as a process would. Race builds do, so that a program that
// relies on sharing them by accident is found by its ordinary tests.
const roundTrip = false
