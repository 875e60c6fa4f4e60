//go:build race

package shared_test

import "runtime"

// races is how many the detector has reported in this process.
func races() int { return runtime.RaceErrors() }
