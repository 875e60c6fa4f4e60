// Package schedule is lesson L01: one core lets tasks take turns, several
// cores really run several at once.
//
// The tasks are processes that do nothing but compute, so the system's own
// scheduler shares the cores between them, and each records when it ran. The
// lesson then only looks: how many ran at one instant, and who waited.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
)

// Lesson is L01.
var Lesson = &course.Lesson{
	ID: "L01", Folder: "01-schedule", Way: course.Basics,
	Heading: "单核CPU如何实现多任务？ / 多核CPU如何实现多任务? / 并发 / 并行",
	Title:   course.Text{En: "one core, several cores", Zh: "单核与多核"},
	Idea: course.Text{
		En: "One core runs one task at a time, in turns. # runs, . waits for a core.",
		Zh: "单核时任务轮询着执行。# 正在运行，. 等待CPU。",
	},
	Question: course.Text{
		En: "3 equal tasks on one core: how much longer than one alone?",
		Zh: "一个核上有3个同样的任务：比单独一个慢多少？",
	},
	Run: run,
}

const (
	work   = 36 * time.Millisecond // what each task computes, in time on a core
	rounds = 5                     // how often an undisturbed round is tried for
	drawn  = 3                     // rows of a picture at most, so that three fit a screen
)

func run(ctx context.Context, s *course.Stage) error {
	cpus, err := sys.Affinity(0)
	if errors.Is(err, errors.ErrUnsupported) {
		s.Skip("this system does not tell when a thread is switched",
			"这个系统不提供线程切换的计数")
		return nil
	}
	if err != nil {
		return err
	}
	cores := len(cpus)
	s.Fact("cores", cores)

	one, err := compute(ctx, 3, cpus[0])
	if err != nil {
		return err
	}
	s.Draw(one.lanes, "one core, 3 tasks of %[1]d ms: %[2]d ms", "一个核，3个任务各%[1]d毫秒：共%[2]d毫秒", work.Milliseconds(), one.wall().Milliseconds())
	s.Fact("max_overlap_one_core", one.lanes.Overlap())
	s.Fact("wall_ms_one_core", one.wall().Milliseconds())
	s.Fact("switches_one_core", one.switches)
	s.Law(one.lanes.Overlap() == 1 && one.wall() >= 3*work,
		"one core: never two at one instant; the time is the sum or more", "单核：任何时刻只有一个任务在执行，时间不少于总和")

	if cores == 1 {
		s.Skip("one usable core: several at once cannot be shown", "只有一个可用的核：无法演示同时执行")
		return nil
	}
	return several(ctx, s, cores)
}

// several shows all cores, with more tasks than cores and with as many. Other
// programs use the cores too, so each is tried until it was left alone, or
// often enough; the round in which the tasks waited least is shown.
func several(ctx context.Context, s *course.Stage, cores int) error {
	others := course.WatchOthers()
	more, err := calmest(ctx, cores+1, func(p *picture) bool { return p.lanes.Overlap() == cores })
	if err != nil {
		return err
	}
	s.Draw(more.lanes, "%[1]d cores, %[2]d tasks, concurrent: %[3]d ms", "%[1]d个核，%[2]d个任务，并发：%[3]d毫秒", cores, cores+1, more.wall().Milliseconds())
	s.Fact("max_overlap_more_tasks", more.lanes.Overlap())
	s.Fact("wall_ms_more_tasks", more.wall().Milliseconds())

	// "Nobody" is measured against those who do wait, beside it and in the same
	// minute: the system itself takes a turn on every core now and then, and a race
	// build more often.
	each := func(p *picture) time.Duration { return p.waited() / time.Duration(len(p.lanes.Lanes)) }
	nobodyWaits := func(p *picture) bool { return p.lanes.Overlap() == cores && each(p) <= each(more)/3 }
	equal, err := calmest(ctx, cores, nobodyWaits)
	if err != nil {
		return err
	}
	s.Draw(equal.lanes, "%[1]d cores, %[1]d tasks, parallel: %[2]d ms", "%[1]d个核，%[1]d个任务，并行：%[2]d毫秒", cores, equal.wall().Milliseconds())
	s.Fact("max_overlap_parallel", equal.lanes.Overlap())
	s.Fact("wall_ms_parallel", equal.wall().Milliseconds())
	s.Fact("waited_ms_parallel", equal.waited().Milliseconds())

	overlap := more.lanes.Overlap()
	holds := overlap >= 2 && overlap <= cores && more.waited() > 0 && nobodyWaits(equal)
	switch {
	case !holds && tandem.CPUs() < cores:
		s.Skip("a quota of %[1]d holds back %[2]d cores: who waits, waits for it", "CPU配额%[1]d小于核数%[2]d：等待由配额造成", tandem.CPUs(), cores)
	case !holds && overlap <= cores && others.Busy():
		s.Skip("other programs used the cores, so tasks had to wait for those too", "其他程序占用了CPU，任务还要等待它们")
	default:
		s.Law(holds, "all cores: %[1]d at once; with tasks <= cores nobody waits", "多核：%[1]d个同时执行；任务数不大于核数时无人等待", equal.lanes.Overlap())
	}
	return nil
}

// calmest computes n tasks anywhere until a round is calm, or rounds times,
// and returns the round in which the tasks waited least.
func calmest(ctx context.Context, n int, calm func(*picture) bool) (best *picture, err error) {
	for range rounds {
		p, err := compute(ctx, n, anyCPU)
		if err != nil {
			return nil, err
		}
		if best == nil || p.waited() < best.waited() {
			best = p
		}
		if calm(best) {
			break
		}
	}
	return best, nil
}

// picture is one setting, computed and recorded.
type picture struct {
	lanes    *course.Lanes
	switches int64
}

func (p *picture) wall() time.Duration { return p.lanes.Span().Len() }

func (p *picture) waited() (d time.Duration) {
	for _, lane := range p.lanes.Lanes {
		d += lane.Waited()
	}
	return d
}

// compute runs n tasks that start at the same instant, each in a process of
// its own, all on one CPU or wherever the system puts them.
func compute(ctx context.Context, n, cpu int) (*picture, error) {
	pool := &process.Pool{Workers: n}
	defer pool.Close()
	if err := pool.Start(ctx); err != nil {
		return nil, err
	}
	// The start lies far enough ahead for every worker to have its order.
	start := time.Now().Add(30 * time.Millisecond).UnixNano()
	orders := slices.Repeat([]order{{Start: start, Work: work, CPU: cpu}}, n)
	records, err := spin.On(pool).All(ctx, orders)
	if err != nil {
		return nil, err
	}
	p := &picture{lanes: &course.Lanes{Max: drawn}}
	for i, r := range records {
		p.switches += r.Switches
		p.lanes.Lanes = append(p.lanes.Lanes, course.Lane{Name: fmt.Sprintf("task %d", i+1), Start: start, End: r.End, Runs: r.Runs})
	}
	return p, nil
}
