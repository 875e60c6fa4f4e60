// Package levels is lesson L08: a low-level way to start a flow of control,
// and a high-level one that wraps it.
package levels

import (
	"context"
	"errors"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/thread"
)

// Lesson is L08.
var Lesson = &course.Lesson{
	ID: "L08", Folder: "08-levels", Way: course.Threads,
	Heading: "模块: _thread 低级模块 / threading 高级模块",
	Title:   course.Text{En: "two levels", Zh: "低级模块与高级模块"},
	Idea: course.Text{
		En: "Low level: Go's go statement. High level: package thread, which wraps it.",
		Zh: "低级：Go 的 go 语句。高级：thread 包，对它进行了封装。",
	},
	Question: course.Text{
		En: "A function panics. What becomes of the program, at each level?",
		Zh: "函数 panic 了，在两个级别上程序各会怎样？",
	},
	Run: run,
}

const wrong = "no square root"

func square(n int) int { return n * n }

func run(ctx context.Context, s *course.Stage) error {
	// All that a go statement gives back must be carried by hand.
	result := make(chan int)
	go func() { result <- square(7) }()
	low := <-result

	t := thread.Start(ctx, thread.Config{Name: "squares"}, func(context.Context) (int, error) { return square(7), nil })
	high, err := t.Wait(ctx)
	if err != nil {
		return err
	}
	again, err := t.Wait(ctx)
	if err != nil {
		return err
	}
	bad := thread.Start(ctx, thread.Config{}, func(context.Context) (int, error) { panic(wrong) })
	_, failure := bad.Wait(ctx)
	var panicked *tandem.PanicError
	caught := errors.As(failure, &panicked) && panicked.Value == wrong

	// Han text stands at the right end only, where its width moves nothing.
	s.Sayf("          go statement    thread")
	s.Say("name      none            %s", "name      none            %-16s 名字", t.Thread.Name())
	s.Say("id        none            %d", "id        none            %-16d 编号", t.Thread.ID())
	s.Say("wait      a channel       Wait, many times", "wait      a channel       Wait, many times 等待")
	s.Say("result    %-15[1]d %[2]d", "result    %-15[1]d %-16[2]d 结果", low, high)
	s.Say("panic     ends all        an error: %[1]s", "panic     ends all        an error         崩溃：%[1]s", wrong)

	s.Fact("low_level_result", low)
	s.Fact("high_level_name", t.Thread.Name())
	s.Fact("high_level_result", high)
	s.Fact("high_level_panic", text(failure))
	s.Law(low == 49 && high == low && again == high && caught,
		"the same result; the high level adds name, id, wait and errors",
		"结果相同；高级模块多了名字、编号、等待和错误")
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
