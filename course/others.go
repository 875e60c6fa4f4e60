package course

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Others watches whether other programs use the machine while a lesson
// measures itself on it. A law about who waits for whom can be judged only on
// a machine that is left alone.
type Others struct {
	all, ours time.Duration
	known     bool
}

// WatchOthers begins to watch.
func WatchOthers() *Others {
	all, ours, known := busyTimes()
	return &Others{all, ours, known}
}

// Busy reports whether others have used more than a tenth of the processor
// time that this program and its ended children have used meanwhile. On a
// system that does not tell it answers false.
func (o *Others) Busy() bool {
	all, ours, known := busyTimes()
	if !known || !o.known {
		return false
	}
	mine := ours - o.ours
	return all-o.all-mine > max(mine/10, 2*tick)
}

// tick is the unit in which the system counts.
const tick = 10 * time.Millisecond

// busyTimes returns how long all processors have been busy since the system
// started, and how long for this program and its ended children.
func busyTimes() (all, ours time.Duration, known bool) {
	system, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, false
	}
	self, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, false
	}
	// cpu user nice system idle iowait irq softirq steal: all but idle and iowait.
	line, _, _ := strings.Cut(string(system), "\n")
	all, known = ticks(strings.Fields(line), 1, 2, 3, 6, 7, 8)
	// The name of the program, in parentheses, may hold anything. Behind it
	// stand utime, stime, cutime and cstime as the 12th field and on.
	text := string(self)
	_, rest, _ := strings.Cut(text[max(0, strings.LastIndexByte(text, ')')):], " ")
	ours, ok := ticks(strings.Fields(rest), 11, 12, 13, 14)
	return all, ours, known && ok
}

// ticks adds some of the fields.
func ticks(fields []string, which ...int) (sum time.Duration, ok bool) {
	if len(fields) <= slices.Max(which) {
		return 0, false
	}
	for _, i := range which {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, false
		}
		sum += time.Duration(n) * tick
	}
	return sum, true
}
