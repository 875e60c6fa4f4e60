// Package coroutine is lesson L11: coroutines share one thread and give it to
// each other, where they say so and nowhere else.
package coroutine

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/coroutine"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/internal/sys"
)

// Lesson is L11.
var Lesson = &course.Lesson{
	ID: "L11", Folder: "11-coroutine", Way: course.Routines,
	Heading: "协程方式",
	Title:   course.Text{En: "coroutines take turns", Zh: "协程轮流执行"},
	Idea: course.Text{
		En: "Thousands of coroutines on one thread. A turn ends only where it yields.",
		Zh: "一个线程上有几千个协程，只在自己让出的地方换人。",
	},
	Question: course.Text{
		En: "They add to one number as the threads of L09 did, with no lock. The sum?",
		Zh: "它们像第9课的线程那样不加锁地修改同一个数，结果是多少？",
	},
	Run: run,
}

const (
	many  = 5000
	turns = 4
	trips = 100_000 // switches that are timed
)

func run(ctx context.Context, s *course.Stage) error {
	order, err := order(ctx)
	if err != nil {
		return err
	}
	s.Say("3 coroutines of 3 steps: %s", "3个协程，各3步：%s", strings.Join(order, " "))

	c, err := crowd(ctx)
	if err != nil {
		return err
	}
	s.Say("%[1]d coroutines, %[2]d turns each: threads used %[3]d, inside at once %[4]d",
		"%[1]d个协程，各%[2]d轮：使用线程%[3]d个，同时在执行的最多%[4]d个", many, turns, len(c.tids), c.most)
	s.Sayf("num = %d", c.num)

	each, err := timeSwitch(ctx)
	if err != nil {
		return err
	}
	s.Say("a switch from one to the next: %d ns", "从一个切换到下一个：%d纳秒", each.Nanoseconds())

	s.Fact("coroutines", c.done)
	s.Fact("threads_used", len(c.tids))
	s.Fact("max_inside", c.most)
	s.Fact("switch_ns", each.Nanoseconds())
	s.Fact("order", order)
	s.Fact("num", c.num)
	s.Law(c.done == many && len(c.tids) == 1 && c.most == 1, "one thread, never two inside", "只有一个线程，任何时刻只有一个在执行")
	s.Law(c.num == 0 && strings.Join(order, "") == "A1B1C1A2B2C2A3B3C3",
		"turns end only where they yield, so nothing gets lost", "只在让出的地方换人，所以不会丢失更新")
	return nil
}

// order lets three coroutines yield after each step and tells who came when.
func order(ctx context.Context) (steps []string, err error) {
	walk := func(name string) func(context.Context) (struct{}, error) {
		return func(ctx context.Context) (struct{}, error) {
			for i := range 3 {
				steps = append(steps, fmt.Sprint(name, i+1))
				if err := coroutine.Yield(ctx); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		}
	}
	err = coroutine.Run(ctx, func(ctx context.Context) error {
		_, err := coroutine.Gather(ctx, walk("A"), walk("B"), walk("C"))
		return err
	})
	return steps, err
}

// seen is what a crowd of coroutines did and saw.
type seen struct {
	num, done int
	tids      map[int]bool
	most      int32
}

// crowd runs many coroutines that change one number without a lock. How many
// are inside is counted atomically: the count must be right even if the law
// were not.
func crowd(ctx context.Context) (seen, error) {
	s := seen{tids: map[int]bool{}}
	var inside, most atomic.Int32
	body := func(n int) func(context.Context) (struct{}, error) {
		return func(ctx context.Context) (struct{}, error) {
			for range turns {
				now := inside.Add(1)
				most.Store(max(now, most.Load()))
				s.tids[sys.Gettid()] = true
				s.num += n
				s.num -= n
				inside.Add(-1)
				if err := coroutine.Yield(ctx); err != nil {
					return struct{}{}, err
				}
			}
			s.done++
			return struct{}{}, nil
		}
	}
	err := coroutine.Run(ctx, func(ctx context.Context) error {
		var all []func(context.Context) (struct{}, error)
		for n := range many {
			all = append(all, body(n))
		}
		_, err := coroutine.Gather(ctx, all...)
		return err
	})
	s.most = most.Load()
	return s, err
}

// timeSwitch measures what it costs when two coroutines hand each other the
// turn.
func timeSwitch(ctx context.Context) (each time.Duration, err error) {
	play := func(ctx context.Context) (struct{}, error) {
		for range trips / 2 {
			if err := coroutine.Yield(ctx); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	}
	began := time.Now()
	err = coroutine.Run(ctx, func(ctx context.Context) error {
		_, err := coroutine.Gather(ctx, play, play)
		return err
	})
	return time.Since(began) / trips, err
}
