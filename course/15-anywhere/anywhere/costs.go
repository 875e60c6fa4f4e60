package anywhere

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/coroutine"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/thread"
)

// costs is what one more of a kind takes: to start it and have its result, and
// the memory it holds while it lives, in bytes. 0 could not be measured.
type costs struct{ start, memory course.Facts }

// kinds are what the ways are made of, in the order of the closing table, with
// how many are kept alive to weigh one.
var kinds = []struct {
	name   string
	many   int
	start  func(context.Context) (time.Duration, error)
	weigh  func(context.Context, int) (int64, error)
	call   string // the place whose calls the table shows beside it
	ending course.Text
}{
	{"coroutine", 2000, startCoroutine, weighCoroutines, "", course.Text{En: "ends the program", Zh: "整个程序结束"}},
	{"goroutine", 2000, startGoroutine, weighGoroutines, "goroutines", course.Text{En: "ends the program", Zh: "整个程序结束"}},
	{"thread", 64, startThread, weighThreads, "threads", course.Text{En: "ends the program", Zh: "整个程序结束"}},
	{"process", 1, startProcess, weighProcess, "processes", course.Text{En: "is an error", Zh: "只是一个错误"}},
	{"hybrid", 4, startHybrid, weighHybrid, "hybrid", course.Text{En: "is an error, of up to 4", Zh: "最多是4个任务的错误"}},
}

func measure(ctx context.Context) (c costs, err error) {
	for _, k := range kinds {
		start, err := k.start(ctx)
		if err != nil {
			return c, err
		}
		memory, err := k.weigh(ctx, k.many)
		if err != nil {
			return c, err
		}
		c.start.Set(k.name, start.Nanoseconds())
		c.memory.Set(k.name, memory)
	}
	return c, nil
}

func (c costs) show(s *course.Stage, calls course.Facts) {
	s.Say("               start    a call   memory   a crash in it", "               start    a call   memory   启动、调用、内存；其中崩溃时")
	for _, k := range kinds {
		start, _ := c.start.Get(k.name)
		memory, _ := c.memory.Get(k.name)
		call := "-"
		if ns, ok := calls.Get(k.call); ok {
			call = micros(ns)
		}
		row := fmt.Sprintf("%-10s %9s %9s %8s   ", k.name, micros(start), call, kilobytes(memory))
		s.Line(course.Text{En: row + k.ending.En, Zh: row + k.ending.Zh})
	}
}

func micros(ns any) string {
	us := float64(ns.(int64)) / 1000
	if us >= 1000 {
		return fmt.Sprintf("%.1f ms", us/1000)
	}
	return fmt.Sprintf("%.1f us", us)
}

func kilobytes(bytes any) string {
	if bytes.(int64) <= 0 {
		return "-"
	}
	return fmt.Sprintf("%d KB", (bytes.(int64)+1023)/1024)
}

func startGoroutine(context.Context) (time.Duration, error) {
	return median(200, func() error {
		done := make(chan int)
		go func() { done <- 1 }()
		<-done
		return nil
	})
}

func startThread(ctx context.Context) (time.Duration, error) {
	return median(50, func() error {
		_, err := thread.Start(ctx, thread.Config{}, func(context.Context) (int, error) { return 1, nil }).Wait(ctx)
		return err
	})
}

func startProcess(ctx context.Context) (time.Duration, error) {
	return median(9, func() error {
		h, err := process.Start(ctx, process.Config{}, nothing, 1)
		if err != nil {
			return err
		}
		_, err = h.Wait(ctx)
		return err
	})
}

// startCoroutine times the coroutines of a running loop: one is started by
// another and waited for.
func startCoroutine(ctx context.Context) (took time.Duration, err error) {
	err = coroutine.Run(ctx, func(ctx context.Context) error {
		took, err = median(200, func() error {
			_, err := coroutine.Go(ctx, "one", func(context.Context) (int, error) { return 1, nil }).Wait(ctx)
			return err
		})
		return err
	})
	return took, err
}

// weighGoroutines and weighCoroutines ask the runtime, which knows its stacks
// and its heap to the byte.
func weighGoroutines(_ context.Context, n int) (int64, error) {
	end := make(chan struct{})
	before := held()
	for range n {
		go func() { <-end }()
	}
	after := held()
	close(end)
	return (after - before) / int64(n), nil
}

func weighCoroutines(ctx context.Context, n int) (each int64, err error) {
	err = coroutine.Run(ctx, func(ctx context.Context) error {
		end := make(chan struct{})
		before := held()
		for range n {
			coroutine.Go(ctx, "idle", func(ctx context.Context) (int, error) {
				_, _, err := coroutine.AwaitChan(ctx, end)
				return 0, err
			})
		}
		if err := coroutine.Yield(ctx); err != nil { // now each of them waits
			return err
		}
		each = (held() - before) / int64(n)
		close(end)
		return nil
	})
	return each, err
}

func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// weighThreads weighs in a process of its own: here are stacks of earlier
// threads that new ones take over.
func weighThreads(ctx context.Context, n int) (int64, error) {
	h, err := process.Start(ctx, process.Config{}, idleThreads, n)
	if err != nil {
		return 0, err
	}
	return h.Wait(ctx)
}

// idleThreads starts n threads that wait and tells what each holds of its
// process's memory. What the kernel keeps for them comes on top.
var idleThreads = tandem.NewTask("idle threads", func(ctx context.Context, n int) (int64, error) {
	end := make(chan struct{})
	before, known := resident()
	var handles []*thread.Handle[struct{}]
	for range n {
		handles = append(handles, thread.Start(ctx, thread.Config{}, func(context.Context) (struct{}, error) {
			<-end
			return struct{}{}, nil
		}))
	}
	after, _ := resident()
	close(end)
	for _, h := range handles {
		if _, err := h.Wait(ctx); err != nil {
			return 0, err
		}
	}
	if !known {
		return 0, nil
	}
	return max(0, after-before) / int64(n), nil
})

// weigh reports how much memory its own process holds for itself.
var weigh = tandem.NewTask("weigh", func(ctx context.Context, _ int) (int64, error) {
	n, _ := resident()
	return n, nil
})

func weighProcess(ctx context.Context, _ int) (int64, error) {
	h, err := process.Start(ctx, process.Config{}, weigh, 0)
	if err != nil {
		return 0, err
	}
	return h.Wait(ctx)
}

// startHybrid and weighHybrid take a process of four threads. What it weighs
// is shared out among its threads.
func startHybrid(ctx context.Context) (time.Duration, error) {
	return median(9, func() error {
		pool := &process.Pool{Workers: 1, Threads: 4}
		defer pool.Close()
		if err := pool.Start(ctx); err != nil {
			return err
		}
		_, err := nothing.On(pool).Call(ctx, 1)
		return err
	})
}

func weighHybrid(ctx context.Context, threads int) (int64, error) {
	pool := &process.Pool{Workers: 1, Threads: threads}
	defer pool.Close()
	n, err := weigh.On(pool).Call(ctx, 0)
	return n / int64(threads), err
}

// resident returns the memory that this process holds for itself: without what
// it shares with others, such as the program's own code.
func resident() (bytes int64, known bool) {
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Private_Dirty:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb * 1024, err == nil
		}
	}
	return 0, false
}
