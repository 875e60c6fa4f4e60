//go:build !race

package process_test

const (
	stormCalls = 4_000
	stormKills = 500
	scribblers = 1_500
	millionth  = 100_000 // what stands for the million in every run of the tests
)
