package sys

import (
	"fmt"
	"strconv"
	"strings"
)

// Fields of what ProcessStat returns: those of proc_pid_stat(5) less 3.
const (
	StatState    = 0
	StatParent   = 1
	StatStart    = 19 // clock ticks since boot
	StatResident = 21 // pages
	statLeast    = 22
)

// ProcessStat is what the kernel tells of a process in its stat file, behind its name.
func ProcessStat(pid int) ([]string, error) {
	text, err := ReadText("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil, err
	}
	// The name is in parentheses, and may hold anything.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < statLeast {
		return nil, fmt.Errorf("tandem: /proc/%d/stat: only %d fields after the name", pid, len(fields))
	}
	return fields, nil
}

// ProcessRuns reports whether there is a process with this number that has not ended.
// One that nobody has reaped yet has.
func ProcessRuns(pid int) bool {
	fields, err := ProcessStat(pid)
	return err == nil && fields[StatState] != "Z" && fields[StatState] != "X"
}
