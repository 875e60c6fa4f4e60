// Package crash is lesson L13: a process that dies takes nothing with it but
// the one task it was working on.
package crash

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L13.
var Lesson = &course.Lesson{
	ID: "L13", Folder: "13-crash", Way: course.Beyond,
	Title: course.Text{En: "five ways to die", Zh: "五种死法"},
	Idea: course.Text{
		En: "Five tasks that end a Go program for sure, among 40 good ones, in one pool.",
		Zh: "一个进程池里有40个正常任务，还有5个必定让Go程序崩溃的任务。",
	},
	Question: course.Text{
		En: "How many of the 40 good ones get their results?",
		Zh: "40个正常任务中有几个能得到结果？",
	},
	Run: run,
}

const (
	workers = 3
	good    = 40
	memory  = 256 << 20
)

// death is one way to die and how to tell that it was named rightly.
type death struct {
	kind  string
	named func(error) bool
}

var deaths = []death{
	{"panic", func(err error) bool {
		var e *tandem.PanicError
		return errors.As(err, &e) && strings.Contains(e.Value, "index out of range")
	}},
	{"exit", func(err error) bool {
		var e *tandem.CrashError
		return errors.As(err, &e) && e.ExitCode == exitCode
	}},
	{"stack", crashed("stack")},
	{"map", crashed("concurrent map writes")},
	// The last one, because not every system can bring it about.
	{"memory", func(err error) bool { return errors.Is(err, tandem.ErrMemory) }},
}

func crashed(word string) func(error) bool {
	return func(err error) bool {
		var e *tandem.CrashError
		return errors.As(err, &e) && strings.Contains(e.Reason, word)
	}
}

func run(ctx context.Context, s *course.Stage) error {
	pool := &process.Pool{
		Workers: workers,
		Limits:  tandem.Limits{Memory: memory},
		Config:  process.Config{Stderr: io.Discard}, // the runtime's own reports are long
	}
	defer pool.Close()
	deaths := deaths
	if err := pool.Start(ctx); errors.Is(err, errors.ErrUnsupported) {
		// A pool refuses a limit that it cannot keep, so there is no such death.
		deaths = deaths[:len(deaths)-1]
		pool = &process.Pool{Workers: workers, Config: pool.Config}
		defer pool.Close()
		s.Skip("no memory limit here: %[1]s", "这里不能限制内存：%[1]s", course.Short(err, die.FullName()))
	} else if err != nil {
		return err
	}

	// The bad ones stand among the good ones.
	var ends []*tandem.Future[struct{}]
	var squares []*tandem.Future[int]
	for i := range good {
		if i%8 == 4 && i/8 < len(deaths) {
			ends = append(ends, die.On(pool).Go(ctx, deaths[i/8].kind))
		}
		squares = append(squares, square.On(pool).Go(ctx, i))
	}
	texts, named := course.Facts{}, 0
	for i, d := range deaths {
		_, err := ends[i].Wait(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = errors.New("it did not die")
		} else if d.named(err) {
			named++
		}
		texts.Set(d.kind, err.Error())
		s.Sayf("%-7s %s", d.kind, course.Short(err, die.FullName()))
	}
	done := 0
	for i, f := range squares {
		if n, err := f.Wait(ctx); err == nil && n == i*i {
			done++
		}
	}
	s.Say("%[1]d of %[2]d good tasks done, in the same pool", "同一个池里的正常任务完成了%[1]d/%[2]d", done, good)
	s.Fact("deaths", texts)
	s.Fact("others_expected", good)
	s.Fact("others_done", done)
	s.Law(named == len(deaths), "%[1]d of %[2]d deaths are named by their cause", "%[2]d种死亡中%[1]d种说出了真正的原因", named, len(deaths))
	s.Law(done == good, "all results of the others are there", "其他任务的结果都完整")
	return nil
}
