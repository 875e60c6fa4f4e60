// Package sharing is lesson L09: threads share their process's memory, and
// what they do to it at the same time gets lost.
//
// Each turn reads the number and writes it back, as two separate atomic
// operations: that is what num += n is to the machine, and because each half
// is atomic the race detector has nothing to object to. The fault is in the
// program's logic, where no detector sees it.
package sharing

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/thread"
)

// Lesson is L09.
var Lesson = &course.Lesson{
	ID: "L09", Folder: "09-sharing", Way: course.Threads,
	Heading: "多线程共享资源",
	Title:   course.Text{En: "threads share memory", Zh: "多线程共享资源"},
	Idea: course.Text{
		En: "Three threads add n to one number and take it away again, with no lock.",
		Zh: "三个线程对同一个数加n再减n，没有加锁。",
	},
	Question: course.Text{
		En: "0 at the start. What is it after 1,000,000 turns each?",
		Zh: "开始是0。各执行1000000次之后是多少？",
	},
	Run: run,
}

const (
	few      = 100
	many     = 1_000_000
	smalls   = 20              // runs of a few turns
	patience = 5 * time.Second // after which no loss is a loss of the law
)

var amounts = []int64{5, 6, 9} // the course's arguments

func run(ctx context.Context, s *course.Stage) error {
	// On one CPU a thread loses it only between two of its time slices, so the
	// pair of read and write is hardly ever torn: there some turns yield in it.
	yield := tandem.CPUs() == 1
	if yield {
		s.Say("(one usable core: now and then a turn yields between read and write)", "(只有一个可用的核：时而在读和写之间让出CPU)")
	}
	smallLosses := 0
	for range smalls {
		v, err := race(ctx, few, yield)
		if err != nil {
			return err
		}
		if v != 0 {
			smallLosses++
		}
	}
	s.Say("%7[1]d turns: 0 in %[2]d of %[3]d runs", "%7[1]d次：%[3]d轮中有%[2]d轮是0", few, smalls-smallLosses, smalls)

	runs, losses, final := 0, 0, int64(0)
	for began := time.Now(); losses == 0 && time.Since(began) < patience && ctx.Err() == nil; {
		v, err := race(ctx, many, yield)
		if err != nil {
			return err
		}
		runs++
		if v != 0 {
			losses++
			final = v
		}
	}
	s.Sayf("num = %d", final)
	s.Say("%7[1]d turns: run %[2]d lost updates", "%7[1]d次：第%[2]d轮丢失了更新", many, runs)

	caught, found := catch(ctx, yield)
	if found {
		caught.show(s)
	}
	s.Fact("runs", runs)
	s.Fact("runs_with_loss", losses)
	s.Fact("small_runs_with_loss", smallLosses)
	s.Fact("final", final)
	s.Fact("caught", caught)
	s.Law(losses > 0 && final != 0 && found && caught.lost(),
		"updates get lost: a write in between is written over", "更新会丢失：中间的写入被覆盖了")
	return ctx.Err()
}

// race lets the three threads take their turns and returns what the number is
// in the end.
func race(ctx context.Context, turns int, yield bool) (int64, error) {
	var num atomic.Int64
	add := func(turn int, n int64) {
		v := num.Load()
		// Only before something is taken away: the others then see, and write
		// back later, a number that n was added to. Yielding in both halves
		// they would lose as much of n as of -n.
		if yield && n < 0 && turn%1000 == 999 {
			runtime.Gosched()
		}
		num.Store(v + n)
	}
	var handles []*thread.Handle[struct{}]
	for _, n := range amounts {
		handles = append(handles, thread.Start(ctx, thread.Config{}, func(context.Context) (struct{}, error) {
			for turn := range turns {
				add(turn, n)
				add(turn, -n)
			}
			return struct{}{}, nil
		}))
	}
	for _, h := range handles {
		if _, err := h.Wait(ctx); err != nil {
			return 0, err
		}
	}
	return num.Load(), nil
}
