package process

import (
	"fmt"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
)

// soonest is when a process that has so much processor time left can have used it, on
// all processors at once. That is when it is looked at again: a task that waits is
// looked at seldom, one that works more and more often as its limit comes near.
func soonest(left time.Duration) time.Duration {
	return max(left/time.Duration(runtime.NumCPU()), time.Millisecond)
}

// count stops a call that has used up its processor time. A worker whose clock cannot
// be read is gone.
func (f *flight) count(seq uint32) {
	used, err := sys.CPUTime(f.lane.worker.proc.PID)
	f.mu.Lock()
	limit, task := f.limits.CPU, f.task
	left := limit - (used - f.spent)
	on := err == nil && f.open && f.seq == seq && f.cause == nil
	if on && left > 0 {
		f.spend.Reset(soonest(left))
	}
	f.mu.Unlock()
	if on && left <= 0 {
		f.stop(seq, fmt.Errorf("tandem: %s: stopped after %v of processor time: %w", task, limit, tandem.ErrCPU))
	}
}
