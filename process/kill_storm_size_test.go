//go:build !race

package process_test

const (
	stormCalls = 10_000
	scribblers = 1_500
)
