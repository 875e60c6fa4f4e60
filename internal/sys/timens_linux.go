package sys

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// userTicks is how many of the kernel's clock ticks are a second, whatever the kernel's
// own frequency is: it is part of the interface.
const userTicks = 100

// bootShift is by how many ticks the times since boot are shifted that this process is
// told: in a time namespace of its own (containers that were moved to another machine
// have one) the kernel adds an offset that never changes.
var bootShift = sync.OnceValue(func() int64 {
	own, err := os.Readlink("/proc/self/ns/time")
	if err != nil || own == firstTimeNamespace {
		return 0 // nearly always: what is below costs a file more
	}
	children, err := os.Readlink("/proc/self/ns/time_for_children")
	if err != nil || own != children {
		return 0 // the offsets are those of children that are to come
	}
	offsets, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(offsets)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "boottime" {
			continue
		}
		seconds, err := strconv.ParseInt(f[1], 10, 64)
		nanoseconds, err2 := strconv.ParseInt(f[2], 10, 64)
		if err == nil && err2 == nil {
			return seconds*userTicks + nanoseconds*userTicks/1e9
		}
	}
	return 0
})

// firstTimeNamespace is the machine's own, by the number that the kernel gives it.
const firstTimeNamespace = "time:[4026531834]"
