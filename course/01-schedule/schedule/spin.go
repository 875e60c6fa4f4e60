package schedule

import (
	"context"
	"runtime"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/internal/sys"
)

// anyCPU leaves the choice of the CPU to the system.
const anyCPU = -1

// order is what a task is told: when to begin, how long to compute, and where.
type order struct {
	Start int64 // time.Time.UnixNano
	Work  time.Duration
	CPU   int
}

// record is when a task ran.
type record struct {
	End      int64
	Switches int64
	Runs     []course.Interval
}

// spin computes and watches itself doing so.
//
// Where an interval ends is told by the thread's own switch counter. The clock
// is read before the counter: if the counter has not moved, the thread was
// running at that reading. If it has moved, the last such reading ends the
// interval, and a fresh one begins the next. Gaps in the clock alone would not
// do: a slow system call looks like one, and a short turn of another task does
// not, so tasks on one CPU would seem to overlap.
var spin = tandem.NewTask("spin", func(ctx context.Context, o order) (r record, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if o.CPU != anyCPU {
		before, err := sys.Affinity(0)
		if err != nil {
			return r, err
		}
		if err := sys.SetAffinity(0, []int{o.CPU}); err != nil {
			return r, err
		}
		defer sys.SetAffinity(0, before)
	}
	time.Sleep(time.Until(time.Unix(0, o.Start)))

	first, err := sys.ThreadSwitches()
	if err != nil {
		return r, err
	}
	done, err := sys.ThreadCPUTime()
	if err != nil {
		return r, err
	}
	done += o.Work
	count, begin := first, time.Now().UnixNano()
	last := begin
	for {
		now := time.Now().UnixNano()
		n, _ := sys.ThreadSwitches() // it answered above
		if n == count {
			last = now
		} else {
			r.Runs = append(r.Runs, course.Interval{From: begin, To: last})
			begin = time.Now().UnixNano()
			count, last = n, begin
		}
		if used, _ := sys.ThreadCPUTime(); used >= done {
			break
		}
	}
	r.Runs = append(r.Runs, course.Interval{From: begin, To: last})
	r.End, r.Switches = last, count-first
	return r, nil
})
