// Package globals is lesson L05: a child process gets a copy of the global
// variables, and no change reaches another process.
package globals

import (
	"context"
	"io"
	"os"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L05.
var Lesson = &course.Lesson{
	ID: "L05", Folder: "05-globals", Way: course.Processes,
	Heading: "在子进程中修改全局变量  对父进程中的全局变量没有影响",
	Title:   course.Text{En: "globals are copied", Zh: "全局变量的备份"},
	Idea: course.Text{
		En: "num = 100. The child adds 1 and starts a grandchild; the parent adds 2 later.",
		Zh: "num = 100。子进程加1，再启动孙子进程；父进程后来加2。",
	},
	Question: course.Text{
		En: "Which three numbers are printed: child, grandchild, parent?",
		Zh: "子进程、孙子进程、父进程各打印什么数？",
	},
	Run: run,
}

const begin = 100

var (
	num   = tandem.NewVar("num", begin)
	plain = begin
)

// seen is what a process saw.
type seen struct{ Num, Plain int }

// family is what the child saw, and what its own child did.
type family struct{ Child, Grandchild seen }

var grandchild = tandem.NewTask("run1", func(ctx context.Context, _ struct{}) (seen, error) {
	course.Print("grandchild starts...", "孙子进程开始...")
	course.Print("grandchild ends...%d", "孙子进程结束...%d", num.Get())
	return seen{num.Get(), plain}, nil
})

var child = tandem.NewTask("run", func(ctx context.Context, _ struct{}) (family, error) {
	course.Print("child starts...", "子进程开始...")
	num.Set(num.Get() + 1)
	plain++
	course.Printf("%d", num.Get())
	f := family{Child: seen{num.Get(), plain}}
	p, err := process.Start(ctx, process.Config{}, grandchild, struct{}{})
	if err != nil {
		return f, err
	}
	f.Grandchild, err = p.Wait(ctx)
	course.Print("child ends...", "子进程结束...")
	return f, err
})

// late looks at num after the parent, which changed it meanwhile, closed the
// child's standard input.
var late = tandem.NewTask("late", func(ctx context.Context, _ struct{}) (int, error) {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return 0, err
	}
	return num.Get(), nil
})

func run(ctx context.Context, s *course.Stage) error {
	num.Set(begin)
	s.Say("parent starts...", "父进程开始...")
	p, err := process.Start(ctx, process.Config{Stdout: s.Writer()}, child, struct{}{})
	if err != nil {
		return err
	}
	f, err := p.Wait(ctx)
	if err != nil {
		return err
	}
	later, err := startThenChange(ctx)
	if err != nil {
		return err
	}
	parent := num.Get()
	s.Say("parent ends...%d", "父进程结束...%d", parent)
	s.Say("  num is a tandem.Var; an ordinary variable begins anew in the grandchild: %d", "  num 是 tandem.Var；普通的Go变量在孙子进程里重新开始：%d", f.Grandchild.Plain)

	s.Fact("child", f.Child.Num)
	s.Fact("grandchild", f.Grandchild.Num)
	s.Fact("parent", parent)
	s.Fact("plain_grandchild", f.Grandchild.Plain)
	s.Fact("child_after_parent_changed", later)
	s.Law(f.Child.Num == begin+1 && f.Grandchild.Num == begin+1 && parent == begin+2,
		"the copy is made when the child starts: %[1]d, %[2]d, and the parent's own %[3]d",
		"创建子进程时做备份：%[1]d、%[2]d，父进程自己是%[3]d", f.Child.Num, f.Grandchild.Num, parent)
	s.Law(later == begin && f.Grandchild.Plain == begin && plain == begin,
		"no change reaches another process, in neither direction", "任何进程的修改都不会影响其它进程")
	return nil
}

// startThenChange starts a child, adds 2 to num while the child lives, and
// returns what the child sees after that.
func startThenChange(ctx context.Context) (int, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer w.Close()
	p, err := process.Start(ctx, process.Config{Stdin: r}, late, struct{}{})
	r.Close()
	if err != nil {
		return 0, err
	}
	num.Set(num.Get() + 2)
	w.Close()
	return p.Wait(ctx)
}
