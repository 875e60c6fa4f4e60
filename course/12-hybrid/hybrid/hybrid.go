// Package hybrid is lesson L12: several processes of several threads each.
package hybrid

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L12.
var Lesson = &course.Lesson{
	ID: "L12", Folder: "12-hybrid", Way: course.Hybrid,
	Heading: "多进程+多线程",
	Title:   course.Text{En: "processes of threads", Zh: "多进程加多线程"},
	Idea: course.Text{
		En: "2 processes with 4 threads each; 8 tasks that each take 0.2 s.",
		Zh: "2个进程，各4个线程；8个任务，各0.2秒。",
	},
	Question: course.Text{
		En: "How long do all 8 take, and how many pids and thread ids are there?",
		Zh: "8个任务一共多久？有几个进程号、几个线程号？",
	},
	Run: run,
}

const (
	workers = 2
	threads = 4
	tasks   = workers * threads
	nap     = 200 * time.Millisecond
)

// place is where and when a task ran.
type place struct {
	PID, TID int
	Run      course.Interval
}

// where keeps its thread to itself while it naps, so that tasks that run at
// the same time cannot share one.
var where = tandem.NewTask("where", func(ctx context.Context, nap time.Duration) (place, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := time.Now().UnixNano()
	time.Sleep(nap)
	return place{os.Getpid(), sys.Gettid(), course.Interval{From: begin, To: time.Now().UnixNano()}}, nil
})

func run(ctx context.Context, s *course.Stage) error {
	pool := &process.Pool{Workers: workers, Threads: threads}
	defer pool.Close()
	if err := pool.Start(ctx); err != nil {
		return err
	}
	places, err := where.On(pool).All(ctx, slices.Repeat([]time.Duration{nap}, tasks))
	if err != nil {
		return err
	}
	pids, tids := map[int]bool{}, map[int]bool{}
	lanes := draw(places)
	for _, p := range places {
		pids[p.PID], tids[p.TID] = true, true
	}
	took := lanes.Span().Len()
	s.Draw(lanes, "%[1]d tasks of %.2[2]f s took %.2[3]f s", "%[1]d个任务各%.2[2]f秒，一共%.2[3]f秒", tasks, nap.Seconds(), took.Seconds())
	s.Fact("pids", len(pids))
	s.Fact("tids", len(tids))
	s.Fact("max_running", lanes.Overlap())
	s.Fact("wall_ms", took.Milliseconds())
	s.Law(len(pids) == workers && len(tids) == tasks && lanes.Overlap() == tasks,
		"%[1]d at once, in %[2]d processes and %[3]d threads", "同时执行%[1]d个，在%[2]d个进程、%[3]d个线程里", lanes.Overlap(), len(pids), len(tids))
	return nil
}

// draw makes one lane for each task, those of one process together.
func draw(places []place) *course.Lanes {
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.TID, b.TID)) })
	l := &course.Lanes{}
	process, thread, pid := 0, 0, 0
	for _, p := range places {
		if thread++; p.PID != pid {
			process, thread, pid = process+1, 1, p.PID
		}
		l.Lanes = append(l.Lanes, course.Lane{
			Name:  fmt.Sprintf("p%d t%d", process, thread),
			Start: p.Run.From, End: p.Run.To, Runs: []course.Interval{p.Run},
		})
	}
	return l
}
