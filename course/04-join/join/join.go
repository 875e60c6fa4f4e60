// Package join is lesson L04: a parent waits for its child, with or without a
// limit to its patience.
package join

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L04.
var Lesson = &course.Lesson{
	ID: "L04", Folder: "04-join", Way: course.Processes,
	Heading: "让父进程等待子进程结束之后父进程再结束",
	Title:   course.Text{En: "wait for the child", Zh: "等待子进程"},
	Idea: course.Text{
		En: "The parent waits until the child ends (join). A wait may have a timeout.",
		Zh: "父进程等待子进程结束 (join)，等待可以有超时时间。",
	},
	Question: course.Text{
		En: "A wait runs into its timeout. Does that end the child?",
		Zh: "等待超时了，子进程会因此结束吗？",
	},
	Run: run,
}

var (
	parentStarts = course.Text{En: "parent starts...", Zh: "父进程启动..."}
	childStarts  = course.Text{En: "child starts...", Zh: "子进程启动..."}
	childEnds    = course.Text{En: "child ends...", Zh: "子进程结束..."}
	parentEnds   = course.Text{En: "parent ends...", Zh: "父进程结束..."}
)

var child = tandem.NewTask("child", func(ctx context.Context, nap time.Duration) (int, error) {
	course.PrintText(childStarts)
	time.Sleep(nap)
	course.PrintText(childEnds)
	return os.Getpid(), nil
})

func run(ctx context.Context, s *course.Stage) error {
	var mu sync.Mutex
	var order []string
	say := func(t course.Text) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, t.En)
		s.Line(t)
	}

	nap := course.Scaled(3 * time.Second)
	began := time.Now()
	say(parentStarts)
	h, err := process.Start(ctx, process.Config{Stdout: course.Lines(say)}, child, nap)
	if err != nil {
		return err
	}
	defer h.Cancel()

	short, cancel := context.WithTimeout(ctx, nap/2)
	defer cancel()
	waiting := time.Now()
	_, err = h.Wait(short)
	early := time.Since(waiting)
	returned := errors.Is(err, context.DeadlineExceeded) && h.Process.Alive()
	s.Say("  join with a timeout: back after %.2[1]f s, child alive: %[2]t",
		"  带超时的 join：%.2[1]f 秒后返回，子进程还活着：%[2]t", early.Seconds(), h.Process.Alive())

	pid, err := h.Wait(ctx)
	if err != nil {
		return err
	}
	say(parentEnds)
	total := time.Since(began)
	s.Say("  the second join returned the child's result (sleeps 1:%d)", "  第二次 join 得到了子进程的结果 (睡眠缩短为1:%d)", course.Scale)

	mu.Lock()
	defer mu.Unlock()
	s.Fact("order", order)
	s.Fact("early_wait_ms", early.Milliseconds())
	s.Fact("early_wait_returned", returned)
	s.Fact("total_ms", total.Milliseconds())
	s.Law(slices.Equal(order, []string{parentStarts.En, childStarts.En, childEnds.En, parentEnds.En}) && total >= nap && pid == h.Process.PID(),
		"the parent ends last: it waited %.2f s for the child", "父进程最后结束：它等了子进程%.2f秒", total.Seconds())
	s.Law(returned && early < total, "a timeout ends the waiting, not the child", "超时结束的是等待，不是子进程")
	return nil
}
