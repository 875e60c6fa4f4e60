package process

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// used is what a process that is gone has used.
func used(state *os.ProcessState) string {
	if state == nil {
		return "not known"
	}
	text := fmt.Sprintf("%v of processor time, %v in the system", state.UserTime()+state.SystemTime(), state.SystemTime())
	if ru, ok := state.SysUsage().(*syscall.Rusage); ok {
		text += fmt.Sprintf(", %d KiB of memory at the most, %d faults from disk", ru.Maxrss, ru.Majflt)
	}
	return text
}

// mostResident is how much memory a process that is gone had at its largest, in bytes,
// 0 if that is not known.
func mostResident(state *os.ProcessState) int64 {
	if state == nil {
		return 0
	}
	if ru, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(ru.Maxrss) << 10 // which is in KiB
	}
	return 0
}

func dumpedCore(state *os.ProcessState) bool {
	if state == nil {
		return false
	}
	ws, ok := state.Sys().(syscall.WaitStatus)
	return ok && ws.CoreDump()
}

// maxStatus bounds what is read of a process's status.
const maxStatus = 8 << 10

// statusOf is what the kernel tells of a process that lives.
func statusOf(pid int) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxStatus))
	return string(b)
}
