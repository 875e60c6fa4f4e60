package course

import (
	"context"
	"time"
)

// Gone waits until no process of that id runs, and reports whether it came to
// that before patience or ctx ended. A process that has ended but was not yet
// waited for counts as gone. The wait is by looking: only a process's own
// parent is told of its end, and a lesson asks about other people's children.
func Gone(ctx context.Context, pid int, patience time.Duration) bool {
	for deadline := time.Now().Add(patience); alive(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
	}
	return true
}
