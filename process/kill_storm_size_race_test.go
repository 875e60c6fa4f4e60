//go:build race

package process_test

// A worker of a race build takes many times as long to start.
const (
	stormCalls = 1_500
	stormKills = 100
	scribblers = 100
	millionth  = 10_000 // what stands for the million in every run of the tests
)
