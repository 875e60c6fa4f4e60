// Package anywhere is lesson L15: the same task in every place gives the same
// results; what differs is what a place costs and what it protects from.
package anywhere

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/thread"
)

// Lesson is L15.
var Lesson = &course.Lesson{
	ID: "L15", Folder: "15-anywhere", Way: course.Beyond,
	Heading: "实现多任务的方式",
	Title:   course.Text{En: "one task, every way", Zh: "同一个任务，各种方式"},
	Idea: course.Text{
		En: "One task in five places: inline, goroutines, threads, processes, hybrid.",
		Zh: "同一个任务，五个地方：直接调用、goroutine、线程、进程、进程加线程。",
	},
	Question: course.Text{
		En: "What does each way cost, and what do you get for it?",
		Zh: "每种方式的代价是什么，换来了什么？",
	},
	Run: run,
}

// primes counts the primes below n, the slow way.
var primes = tandem.NewTask("primes", func(ctx context.Context, n int) (count int, err error) {
	for p := 2; p < n; p++ {
		d := 2
		for ; d*d <= p && p%d != 0; d++ {
		}
		if d*d > p {
			count++
		}
	}
	return count, nil
})

// nothing does nothing: what its call takes is the cost of the way there.
var nothing = tandem.NewTask("nothing", func(ctx context.Context, n int) (int, error) { return n, nil })

var inputs = []int{100, 1000, 5000, 10_000, 20_000, 30_000}

// place is one of the ways, as a value.
type place struct {
	name   string
	runner tandem.Runner
	start  func(context.Context) error // until it is ready to work
	close  func() error
}

func places() []place {
	none := func() error { return nil }
	ready := func(context.Context) error { return nil }
	threads := &thread.Pool{Threads: 2}
	processes := &process.Pool{Workers: 2}
	hybrid := &process.Pool{Workers: 2, Threads: 2}
	return []place{
		{"inline", tandem.Inline, ready, none},
		{"goroutines", tandem.Goroutines(2), ready, none},
		{"threads", threads, threads.Start, threads.Close},
		{"processes", processes, processes.Start, processes.Close},
		{"hybrid", hybrid, hybrid.Start, hybrid.Close},
	}
}

func run(ctx context.Context, s *course.Stage) error {
	var want []int
	var names []string
	equal := true
	calls := course.Facts{}
	for _, p := range places() {
		got, call, err := p.try(ctx)
		if err != nil {
			return err
		}
		if want == nil {
			want = got
		}
		equal = equal && slices.Equal(got, want)
		names = append(names, p.name)
		calls.Set(p.name, call.Nanoseconds())
	}
	s.Sayf("primes below %v: %v", inputs, want)

	c, err := measure(ctx)
	if err != nil {
		return err
	}
	c.show(s, calls)
	s.Fact("places", names)
	s.Fact("results_equal", equal)
	s.Fact("call_ns", calls)
	s.Fact("start_ns", c.start)
	s.Fact("memory_bytes", c.memory)
	s.Law(equal && len(names) == 5, "five places, the same results", "五个地方，结果相同")
	return nil
}

// try runs the task in the place, and times calls of the task that does
// nothing.
func (p place) try(ctx context.Context) (counts []int, call time.Duration, err error) {
	defer func() {
		if e := p.close(); err == nil {
			err = e
		}
	}()
	if err := p.start(ctx); err != nil {
		return nil, 0, err
	}
	counts, err = primes.On(p.runner).All(ctx, inputs)
	if err != nil {
		return nil, 0, err
	}
	call, err = median(200, func() error {
		_, err := nothing.On(p.runner).Call(ctx, 1)
		return err
	})
	return counts, call, err
}

// median times n rounds and returns the middle one: the first ones, and those
// that the system interrupted, do not count.
func median(n int, round func() error) (time.Duration, error) {
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if err := round(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[n/2], nil
}
