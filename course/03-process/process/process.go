// Package process is lesson L03: a child process runs beside its parent, gets
// its argument, and does not outlive it.
package process

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L03.
var Lesson = &course.Lesson{
	ID: "L03", Folder: "03-process", Way: course.Processes,
	Heading: "multiprocessing 多进程",
	Title:   course.Text{En: "a process beside its parent", Zh: "父进程与子进程"},
	Idea: course.Text{
		En: "A child process runs at the same time as its parent. Behind --: pid, ppid.",
		Zh: "子进程与父进程同时执行。-- 后面是进程号和父进程号。",
	},
	Question: course.Text{
		En: "The parent is killed with -9. What becomes of the child?",
		Zh: "父进程被 kill -9，子进程会怎样？",
	},
	Run: run,
}

const (
	starts     = "parent starts..."
	parentLine = "this is a process 1"
	childLine  = "this is process 2"
	steps      = 3 // of each, before the parent is killed
	patience   = 5 * time.Second
)

// parent is the course's program. It runs in a process of its own, so that it
// can be killed while the tour lives on.
var parent = tandem.NewTask("parent", func(ctx context.Context, arg string) (struct{}, error) {
	course.Print(starts+"--%d--%d", "父进程启动...--%d--%d", os.Getpid(), os.Getppid())
	if _, err := process.Start(ctx, process.Config{}, child, arg); err != nil {
		return struct{}{}, err
	}
	for {
		course.Printf(parentLine+"--%d--%d", os.Getpid(), os.Getppid())
		time.Sleep(course.Scaled(time.Second))
	}
})

var child = tandem.NewTask("child", func(ctx context.Context, str string) (struct{}, error) {
	for {
		course.Printf(childLine+"--%s--%d--%d", str, os.Getpid(), os.Getppid())
		time.Sleep(course.Scaled(1500 * time.Millisecond))
	}
})

func run(ctx context.Context, s *course.Stage) error {
	w := &watch{stage: s, enough: make(chan struct{})}
	h, err := process.Start(ctx, process.Config{Stdout: course.Lines(w.line)}, parent, "python")
	if err != nil {
		return err
	}
	defer h.Cancel()
	select {
	case <-w.enough:
	case <-h.Done():
		return h.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	killed := time.Now()
	if err := h.Process.Kill(); err != nil {
		return err
	}
	<-h.Process.Done()

	w.mu.Lock()
	defer w.mu.Unlock()
	orphans := 0
	if !course.Gone(ctx, w.childPID, patience) {
		orphans = 1
	}
	s.Say("kill -9 %[1]d: its child was gone %[2]d ms later (sleeps 1:%[3]d)",
		"kill -9 %[1]d：%[2]d毫秒后子进程也不在了 (睡眠缩短为1:%[3]d)", h.Process.PID(), time.Since(killed).Milliseconds(), course.Scale)

	s.Fact("parent_pid", w.parentPID)
	s.Fact("child_pid", w.childPID)
	s.Fact("child_ppid", w.childPPID)
	s.Fact("arg", w.arg)
	s.Fact("parent_steps", w.parentSteps)
	s.Fact("child_steps", w.childSteps)
	s.Fact("orphans", orphans)
	s.Law(w.arg == "python" && w.childPPID == w.parentPID && w.childPID != w.parentPID && w.between,
		"both made progress, and the child's ppid is the parent's pid", "两者都在前进，子进程的父进程号就是父进程的进程号")
	s.Law(orphans == 0, "no orphan: the child ends with its parent, even on -9", "没有孤儿：即使 -9，子进程也随父进程结束")
	return nil
}

// watch reads the two processes' lines.
type watch struct {
	stage  *course.Stage
	enough chan struct{} // closed when both took their steps

	mu                             sync.Mutex
	parentPID, childPID, childPPID int
	arg                            string
	parentSteps, childSteps        int
	between                        bool // the parent took a step between two of the child's
	stepped                        bool // the parent took a step since the child's last
	closed                         bool
}

func (w *watch) line(t course.Text) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	switch f := strings.Split(t.En, "--"); {
	case f[0] == starts && len(f) == 3:
		w.parentPID, _ = strconv.Atoi(f[1])
	case f[0] == parentLine:
		w.parentSteps++
		w.stepped = true
	case f[0] == childLine && len(f) == 4:
		w.arg = f[1]
		w.childPID, _ = strconv.Atoi(f[2])
		w.childPPID, _ = strconv.Atoi(f[3])
		w.between = w.between || w.childSteps > 0 && w.stepped
		w.childSteps++
		w.stepped = false
	}
	w.stage.Line(t)
	if w.parentSteps >= steps && w.childSteps >= steps {
		w.closed = true
		close(w.enough)
	}
}
