// Package timeout is lesson L14: a time limit really stops the work, also
// work that does not listen.
package timeout

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L14.
var Lesson = &course.Lesson{
	ID: "L14", Folder: "14-timeout", Way: course.Beyond,
	Title: course.Text{En: "a timeout that stops the work", Zh: "真正停下来的超时"},
	Idea: course.Text{
		En: "An endless loop, and a call that blocks as C can: neither looks at its context.",
		Zh: "一个死循环，一个像C函数那样永远阻塞的调用，都不看 context。",
	},
	Question: course.Text{
		En: "A Go context ends. Which of the two stops? And in a process with a limit?",
		Zh: "Go 的 context 结束了，哪个会停？在有时限的进程里呢？",
	},
	Run: run,
}

const (
	limit = 300 * time.Millisecond
	grace = 100 * time.Millisecond
	good  = 40
	// A call is settled when its process no longer runs, so there is nothing
	// to wait for; this is for a system that is slow to say so.
	patience = time.Second
)

var kinds = []string{"loop", "blocked"}

// stuck never returns and never looks at ctx. It first says which process it
// is in, so that the lesson can look whether that one is gone.
var stuck = tandem.NewTask("stuck", func(ctx context.Context, kind string) (struct{}, error) {
	course.Printf("%d", os.Getpid())
	if kind == "blocked" {
		return struct{}{}, block()
	}
	for turning {
	}
	return struct{}{}, nil
})

var turning = true

// block reads from a pipe that nobody writes to. Fd puts it into blocking
// mode, so the read is one system call that lasts, beyond the reach of Go's
// scheduler: what a call into C looks like from outside.
func block() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	r.Fd()
	_, err = r.Read(make([]byte, 1))
	return err
}

var square = tandem.NewTask("square", func(ctx context.Context, n int) (int, error) { return n * n, nil })

// ended is what became of one of the two.
type ended struct {
	err   error
	after time.Duration
}

// pids gathers the process ids that the tasks print.
type pids struct {
	mu   sync.Mutex
	list []int
}

func (p *pids) line(t course.Text) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pid, err := strconv.Atoi(t.En); err == nil {
		p.list = append(p.list, pid)
	}
}

// left counts the processes that still run.
func (p *pids) left(ctx context.Context) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pid := range p.list {
		if !course.Gone(ctx, pid, patience) {
			n++
		}
	}
	return n
}

func run(ctx context.Context, s *course.Stage) error {
	w := &pids{}
	pool := &process.Pool{
		Workers: 3,
		Limits:  tandem.Limits{Time: limit, Grace: grace},
		Config:  process.Config{Stdout: course.Lines(w.line)},
	}
	defer pool.Close()
	if err := pool.Start(ctx); err != nil {
		return err
	}

	var wg sync.WaitGroup
	ends := make([]ended, len(kinds))
	began := time.Now()
	for i, kind := range kinds {
		wg.Go(func() {
			_, err := stuck.On(pool).Call(ctx, kind)
			ends[i] = ended{err, time.Since(began)}
		})
	}
	var squares []*tandem.Future[int]
	for i := range good {
		squares = append(squares, square.On(pool).Go(ctx, i))
	}
	wg.Wait()

	stopped, slowest := 0, time.Duration(0)
	for i, kind := range kinds {
		if errors.Is(ends[i].err, tandem.ErrTimeout) && ends[i].after >= limit {
			stopped++
		}
		slowest = max(slowest, ends[i].after)
		s.Say("%-8[1]s gone after %[2]d ms: %[3]s", "%-8[1]s %[2]d毫秒后停了：%[3]s", kind, ends[i].after.Milliseconds(), course.Short(ends[i].err, stuck.FullName()))
	}
	left := w.left(ctx)
	s.Say("of their %[1]d processes %[2]d are left", "它们的%[1]d个进程还剩%[2]d个", len(w.list), left)
	done := 0
	for i, f := range squares {
		if n, err := f.Wait(ctx); err == nil && n == i*i {
			done++
		}
	}
	s.Say("%[1]d of %[2]d good tasks done, in the same pool", "同一个池里的正常任务完成了%[1]d/%[2]d", done, good)
	s.Fact("limit_ms", limit.Milliseconds())
	s.Fact("grace_ms", grace.Milliseconds())
	s.Fact("gone_after_ms", slowest.Milliseconds())
	s.Fact("processes_left", left)
	s.Fact("others_expected", good)
	s.Fact("others_done", done)
	s.Law(stopped == len(kinds) && len(w.list) == len(kinds) && left == 0,
		"a limit of %[1]d ms and %[2]d ms of grace: both are gone", "时限%[1]d毫秒，宽限%[2]d毫秒：两个都停了", limit.Milliseconds(), grace.Milliseconds())
	s.Law(done == good, "all results of the others are there", "其他任务的结果都完整")
	return nil
}
