// Package mutex is lesson L10: a lock lets one in at a time, so nothing gets
// lost, between threads and between processes; and the waiting has a price.
package mutex

import (
	"context"
	"errors"
	"sync"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// Lesson is L10.
var Lesson = &course.Lesson{
	ID: "L10", Folder: "10-mutex", Way: course.Threads,
	Heading: "互斥锁",
	Title:   course.Text{En: "a lock", Zh: "互斥锁"},
	Idea: course.Text{
		En: "The same additions under a lock: one at a time, while the others wait.",
		Zh: "同样的加减，这次加锁：一次只让一个进入，其他的等待。",
	},
	Question: course.Text{
		En: "The sum is clear. But does the bare loop run slower with the lock?",
		Zh: "结果不难猜。但是只有加减的循环，加锁以后会变慢吗？",
	},
	Run: run,
}

const (
	turns       = 1_000_000 // as many as in the course, for each thread
	sharedTurns = 50_000    // for each process
)

var amounts = []int{6, 9} // the course's arguments

func run(ctx context.Context, s *course.Stage) error {
	byHand, err := together(ctx, turns, lockUnlock)
	if err != nil {
		return err
	}
	s.Sayf("num = %d", byHand)
	with, err := together(ctx, turns, withLock)
	if err != nil {
		return err
	}
	s.Sayf("num = %d", with)
	s.Fact("final_lock", byHand)
	s.Fact("final_with", with)
	s.Law(byHand == 0 && with == 0, "0 with the lock, in both forms: no update gets lost", "两种写法加锁后都是0：没有丢失更新")

	processes, err := acrossProcesses(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		s.Skip("this system has no locks across processes", "这个系统没有跨进程的锁")
	case err != nil:
		return err
	default:
		s.Say("num = %[1]d   across 2 processes, %[2]d turns each", "num = %[1]d   跨2个进程，各%[2]d次", processes, sharedTurns)
		s.Fact("final_processes", processes)
		s.Law(processes == 0, "0 across processes too, with a lock and a number in shared memory", "跨进程也是0：锁和数都在共享内存里")
	}
	return price(ctx, s)
}

// number is what the threads share: an ordinary variable and its lock.
type number struct {
	sync.Mutex
	num int
}

// lockUnlock is the course's acquire, try and finally: the deferred Unlock
// runs also when what is between them panics.
func lockUnlock(v *number, n int) {
	v.Lock()
	defer v.Unlock()
	v.num -= n
	v.num += n
}

// withLock is the course's with statement.
func withLock(v *number, n int) {
	v.with(func() {
		v.num += n
		v.num -= n
	})
}

func (v *number) with(f func()) {
	v.Lock()
	defer v.Unlock()
	f()
}

// together lets a thread for each amount take its turns and returns what the
// number is in the end.
func together(ctx context.Context, turns int, turn func(*number, int)) (int, error) {
	var v number
	_, err := race(ctx, func(i int) {
		for range turns {
			turn(&v, amounts[i])
		}
	})
	return v.num, err
}

// work is what a process gets: a lock and a number that it shares with others.
type work struct {
	Lock *shared.Mutex
	Num  *shared.Value[int]
	N    int
}

var take = tandem.NewTask("run", func(ctx context.Context, w work) (struct{}, error) {
	for range sharedTurns {
		if err := w.Lock.With(ctx, func() error { return w.turn(ctx) }); err != nil {
			return struct{}{}, err
		}
	}
	return struct{}{}, nil
})

// turn reads and writes in steps of their own: only the lock around it makes
// them one.
func (w work) turn(ctx context.Context) error {
	for _, n := range []int{w.N, -w.N} {
		v, err := w.Num.Load(ctx)
		if err != nil {
			return err
		}
		if err := w.Num.Store(ctx, v+n); err != nil {
			return err
		}
	}
	return nil
}

func acrossProcesses(ctx context.Context) (int, error) {
	lock, err := shared.NewMutex()
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	num, err := shared.NewValue(0)
	if err != nil {
		return 0, err
	}
	defer num.Close()
	pool := &process.Pool{Workers: len(amounts)}
	defer pool.Close()
	var in []work
	for _, n := range amounts {
		in = append(in, work{lock, num, n})
	}
	if _, err := take.On(pool).All(ctx, in); err != nil {
		return 0, err
	}
	return num.Load(ctx)
}
