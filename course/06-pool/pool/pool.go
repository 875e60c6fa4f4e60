// Package pool is lesson L06: a pool of processes takes any number of tasks
// and runs as many at a time as it has workers.
package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L06.
var Lesson = &course.Lesson{
	ID: "L06", Folder: "06-pool", Way: course.Processes,
	Heading: "进程池",
	Title:   course.Text{En: "a pool of processes", Zh: "进程池"},
	Idea: course.Text{
		En: fmt.Sprintf("Pool(2), four tasks of 1, 2 or 3 s by lot (sleeps 1:%d), close, join.", course.Scale),
		Zh: fmt.Sprintf("Pool(2)，四个任务，各随机1、2或3秒 (睡眠缩短为1:%d)，close，join。", course.Scale),
	},
	Question: course.Text{
		En: "Two workers, four tasks: which start at once, and when do the others?",
		Zh: "两个进程，四个任务：哪些马上启动，其余何时启动？",
	},
	Run: run,
}

const (
	workers = 2
	tasks   = 4
)

// job is one of the four tasks; done is what it tells of itself.
type job struct {
	Name int
	Nap  time.Duration
}
type done struct {
	PID int
	Run course.Interval
}

var work = tandem.NewTask("func", func(ctx context.Context, j job) (done, error) {
	course.Print("child %d starts...", "子进程%d启动...", j.Name)
	start := time.Now()
	time.Sleep(j.Nap)
	end := time.Now()
	course.Print("child %d ends...took %.2f", "子进程%d结束...耗时%.2f", j.Name, end.Sub(start).Seconds())
	return done{os.Getpid(), course.Interval{From: start.UnixNano(), To: end.UnixNano()}}, nil
})

// foo stands in the course's program unused: Python's pool refuses its workers
// children. Here a worker starts it.
var foo = tandem.NewTask("foo", func(ctx context.Context, _ struct{}) (int, error) {
	return os.Getppid(), nil
})

// descent is a grandchild's view of its parent, and that parent's own.
type descent struct{ PPID, ParentPID int }

var startFoo = tandem.NewTask("start foo", func(ctx context.Context, _ struct{}) (descent, error) {
	p, err := process.Start(ctx, process.Config{}, foo, struct{}{})
	if err != nil {
		return descent{}, err
	}
	ppid, err := p.Wait(ctx)
	return descent{ppid, os.Getpid()}, err
})

func run(ctx context.Context, s *course.Stage) error {
	s.Say("parent starts...", "父进程开始...")
	pool := &process.Pool{Workers: workers, Config: process.Config{Stdout: s.Writer()}}
	defer pool.Close()
	grandchild := startFoo.On(pool).Go(ctx, struct{}{})
	family, err := grandchild.Wait(ctx)
	if err != nil {
		return err
	}
	var calls [tasks]*tandem.Future[done]
	for i := range calls {
		calls[i] = work.On(pool).Go(ctx, job{i, course.Scaled(time.Duration(1+rand.IntN(3)) * time.Second)})
	}
	if err := pool.Shutdown(ctx); err != nil { // close and join in one
		return err
	}
	_, late := work.On(pool).Call(ctx, job{Name: tasks})

	var all []done
	for _, c := range calls {
		d, err := c.Wait(ctx)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	s.Say("parent ends...", "父进程结束...")
	judge(s, all, family, late)
	return nil
}

func judge(s *course.Stage, all []done, family descent, late error) {
	var runs []course.Interval
	var took []int64
	for _, d := range all {
		runs = append(runs, d.Run)
		took = append(took, d.Run.Len().Milliseconds())
	}
	most := course.Overlap(runs)
	s.Draw(byWorker(all), "", "")

	s.Fact("workers", workers)
	s.Fact("done", len(all))
	s.Fact("max_running", most)
	s.Fact("default_size", (&process.Pool{}).Width())
	s.Fact("usable_cpus", tandem.CPUs())
	s.Fact("submit_after_close", text(late))
	s.Fact("task_ms", took)
	s.Fact("grandchild_ppid", family.PPID)
	s.Fact("grandchild_parent_pid", family.ParentPID)
	s.Law(len(all) == tasks && most <= workers && (&process.Pool{}).Width() == tandem.CPUs(),
		"%[1]d done, never more than %[2]d at once; by default a worker per CPU: %[3]d",
		"完成%[1]d个，同时最多%[2]d个；默认大小是CPU核心数：%[3]d", len(all), most, (&process.Pool{}).Width())
	s.Law(errors.Is(late, tandem.ErrClosed) && family.PPID == family.ParentPID,
		"closed: a fifth task is refused; a worker may start children of its own",
		"关闭后不能再添加任务；池中的进程也可以有自己的子进程")
}

// byWorker draws one lane for each worker.
func byWorker(all []done) *course.Lanes {
	l := &course.Lanes{Marks: true}
	var pids []int
	for _, d := range all {
		i := slices.Index(pids, d.PID)
		if i < 0 {
			i = len(pids)
			pids = append(pids, d.PID)
			l.Lanes = append(l.Lanes, course.Lane{Name: fmt.Sprintf("worker %d", i+1), Start: d.Run.From})
		}
		l.Lanes[i].Runs = append(l.Lanes[i].Runs, d.Run)
		l.Lanes[i].End = d.Run.To
	}
	return l
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
