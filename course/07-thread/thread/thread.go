// Package thread is lesson L07: a thread is a second flow of control in the
// same process, known to the system by an id and a name of its own.
package thread

import (
	"context"
	"errors"
	"os"
	"regexp"
	"time"

	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/thread"
)

// Lesson is L07.
var Lesson = &course.Lesson{
	ID: "L07", Folder: "07-thread", Way: course.Threads,
	Heading: "多线程 / 创建线程",
	Title:   course.Text{En: "start a thread", Zh: "创建线程"},
	Idea: course.Text{
		En: "A thread is a subtask in a process: the same memory, its own flow.",
		Zh: "线程是进程内的子任务：共享同一个进程的内存，有自己的执行流。",
	},
	Question: course.Text{
		En: "Does a new thread get a new process id?",
		Zh: "新线程会有新的进程号吗？",
	},
	Run: run,
}

// own is a name longer than the 15 bytes that Linux keeps of it.
const own = "解码-decoder-of-pages"

var defaultName = regexp.MustCompile(`^Thread-[1-9][0-9]* \(run\)$`)

// ids is what a thread sees of itself.
type ids struct {
	pid, tid int
	name     string
	num      int
}

// job is the course's argument. The thread could as well read it from a
// variable of its parent: they share all memory.
type job struct {
	stage *course.Stage
	num   int
}

func (j job) run(ctx context.Context) (ids, error) {
	me := thread.Current()
	j.stage.Say("thread %s starts...", "子线程%s开始...", me.Name())
	time.Sleep(course.Scaled(2 * time.Second))
	j.stage.Sayf("%d", j.num)
	time.Sleep(course.Scaled(2 * time.Second))
	j.stage.Say("thread %s ends...", "子线程%s结束...", me.Name())
	return ids{os.Getpid(), me.ID(), me.Name(), j.num}, nil
}

func run(ctx context.Context, s *course.Stage) error {
	main := thread.Main()
	s.Say("main thread %s starts...", "主线程%s启动...", main.Name())
	t := thread.Start(ctx, thread.Config{}, job{s, 1}.run)
	seen, err := t.Wait(ctx)
	if err != nil {
		return err
	}
	s.Say("main thread %s ends...", "主线程%s结束...", main.Name())

	named, kernel, err := startNamed(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	s.Say("pid %[1]d, main thread %[2]d, the new thread %[3]d (sleeps 1:%[4]d)",
		"进程号%[1]d，主线程%[2]d，新线程%[3]d (睡眠缩短为1:%[4]d)", seen.pid, main.ID(), seen.tid, course.Scale)
	s.Say("a thread of its own name: %[1]s", "自己命名的线程：%[1]s", named)

	s.Fact("pid", os.Getpid())
	s.Fact("main_tid", main.ID())
	s.Fact("thread_tid", seen.tid)
	s.Fact("main_name", main.Name())
	s.Fact("default_name", seen.name)
	s.Fact("own_name", named)
	s.Fact("kernel_name", kernel)
	s.Law(seen.pid == os.Getpid() && seen.tid != main.ID() && seen.tid == t.Thread.ID() && defaultName.MatchString(seen.name),
		"the same process, another thread: one pid, two thread ids", "同一个进程，另一个线程：一个进程号，两个线程号")
	if err != nil {
		s.Skip("this system does not show the names of threads", "这个系统不显示线程的名字")
		return nil
	}
	s.Law(named == own && kernel != "" && kernel == sys.CutName(own), "ps -L shows the kernel's 15 bytes of the name: %s", "ps -L 显示名字的前15字节：%s", kernel)
	return nil
}

// startNamed starts a thread of its own name, and reads both that name and the
// kernel's while the thread lives.
func startNamed(ctx context.Context) (name, kernel string, err error) {
	end := make(chan struct{})
	t := thread.Start(ctx, thread.Config{Name: own}, func(context.Context) (struct{}, error) {
		<-end
		return struct{}{}, nil
	})
	name = t.Thread.Name()
	kernel, err = sys.ThreadName(t.Thread.ID())
	close(end)
	_, ended := t.Wait(ctx)
	return name, kernel, errors.Join(err, ended)
}
