//go:build !linux

package process

import (
	"fmt"
	"os"
)

// used is what a process that is gone has used.
func used(state *os.ProcessState) string {
	if state == nil {
		return "not known"
	}
	return fmt.Sprintf("%v of processor time, %v in the system", state.UserTime()+state.SystemTime(), state.SystemTime())
}

// mostResident would be how much memory a process had; no limit of it is kept here.
func mostResident(*os.ProcessState) int64 { return 0 }

func dumpedCore(*os.ProcessState) bool { return false }

// statusOf is what the kernel tells of a process that lives: nothing, on this system.
func statusOf(int) string { return "" }
