// Package sequential is lesson L02: one flow of control does one thing after
// another, so what stands behind an endless loop never starts.
package sequential

import (
	"context"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L02.
var Lesson = &course.Lesson{
	ID: "L02", Folder: "02-sequential", Way: course.Basics,
	Heading: "没有多进程",
	Title:   course.Text{En: "without processes", Zh: "没有多进程"},
	Idea: course.Text{
		En: "One flow of control: an endless loop first, a second function after it.",
		Zh: "只有一个执行流：先是一个死循环，后面才调用第二个函数。",
	},
	Question: course.Text{
		En: "When does process2 print its first line?",
		Zh: "process2 什么时候打印第一行？",
	},
	Run: run,
}

const (
	first  = "this is a process1"
	second = "this is a process2"
	steps  = 8 // of the first, then its process is ended
	shown  = 4
)

// forever is a variable so that the compiler believes in the second part.
var forever = true

// program is the course's program. It would run for ever, so it gets a process
// of its own, which can be ended from outside.
var program = tandem.NewTask("program", func(ctx context.Context, turn time.Duration) (struct{}, error) {
	for forever {
		course.Printf(first)
		time.Sleep(turn)
	}
	for {
		course.Printf(second)
		time.Sleep(turn)
	}
})

func run(ctx context.Context, s *course.Stage) error {
	var mu sync.Mutex
	count := map[string]int{}
	enough := make(chan struct{})
	out := course.Lines(func(line course.Text) {
		mu.Lock()
		defer mu.Unlock()
		count[line.En]++
		if n := count[line.En]; n <= shown {
			s.Line(line)
		} else if n == steps {
			close(enough)
		}
	})
	h, err := process.Start(ctx, process.Config{Stdout: out}, program, course.Scaled(time.Second))
	if err != nil {
		return err
	}
	defer h.Cancel()
	select {
	case <-enough:
	case <-h.Done():
		return h.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := h.Process.Kill(); err != nil {
		return err
	}
	<-h.Process.Done()

	mu.Lock()
	defer mu.Unlock()
	s.Say("... %[1]d times, then the process was ended (sleeps 1:%[2]d)",
		"... 共%[1]d次，然后结束了这个进程 (睡眠缩短为1:%[2]d)", count[first], course.Scale)
	s.Fact("first_steps", count[first])
	s.Fact("second_steps", count[second])
	s.Law(count[first] >= steps && count[second] == 0,
		"process1 took %[1]d steps, process2 %[2]d: it never starts", "process1 走了%[1]d步，process2 走了%[2]d步：它永远不会开始", count[first], count[second])
	return nil
}
