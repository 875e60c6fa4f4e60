//go:build !linux

package sys

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// mainTid is taken while package variables are initialised: the Go runtime runs
// that on the main thread.
var mainTid = Gettid()

// MainTid is the id of the thread that the system started the program with.
func MainTid() int { return mainTid }

// SetThreadName would show a thread's name to the system; only Linux can.
func SetThreadName(string) error { return noThread("names of threads") }

// ThreadName would read a thread's name; only Linux can.
func ThreadName(int) (string, error) { return "", noThread("names of threads") }

// ThreadAlive would look for a thread; only Linux can. It is true for the main
// thread, which lives as long as the process.
func ThreadAlive(tid int) bool { return tid == mainTid }

// SetAffinity would bind a thread to CPUs; only Linux can.
func SetAffinity(int, []int) error { return noThread("CPU sets of threads") }

// Affinity would list a thread's CPUs; only Linux can.
func Affinity(int) ([]int, error) { return nil, noThread("CPU sets of threads") }

// ThreadSwitches would count a thread's switches; only Linux can.
func ThreadSwitches() (int64, error) { return 0, noThread("switch counters of threads") }

// ThreadCPUTime would be a thread's time on a CPU; only Linux can.
func ThreadCPUTime() (time.Duration, error) { return 0, noThread("CPU times of threads") }

func noThread(what string) error {
	return fmt.Errorf("tandem: %s are not available on %s, only on Linux: %w", what, runtime.GOOS, errors.ErrUnsupported)
}
