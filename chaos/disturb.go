//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// disturber makes events happen. Disturbances overlap.
type disturber struct {
	judge     *judge
	serving   serving
	rough     *process.Pool // whose tasks misbehave
	scribbled *process.Pool // whose tasks write over shared memory: any outcome may be garbage
	running   sync.WaitGroup
	slots     chan struct{} // how many disturbances go on at once
	recorder  *recorder

	mu   sync.Mutex
	made map[string]int // by kind
	none map[string]error
}

func (d *disturber) disturb(e event) {
	d.slots <- struct{}{}
	d.running.Go(func() {
		defer func() { <-d.slots }()
		if d.happen(e) {
			d.mu.Lock()
			d.made[e.what]++
			d.mu.Unlock()
			d.recorder.note(e.what)
		}
	})
}

// happen reports whether e found what it disturbs.
func (d *disturber) happen(e event) bool {
	ctx := context.Background()
	switch e.what {
	case "kill":
		return d.serving.signal(e.dice, syscall.SIGKILL) != nil
	case "freeze":
		return d.serving.signal(e.dice, syscall.SIGSTOP) != nil
	case "stop":
		p := d.serving.signal(e.dice, syscall.SIGSTOP)
		if p == nil {
			return false
		}
		time.Sleep(time.Duration(e.dice%300) * time.Millisecond) // the disturbance itself
		send(p, syscall.SIGCONT)
	case "suspend":
		d.suspend(ctx, time.Second+time.Duration(e.dice%4000)*time.Millisecond)
	case "clocks":
		if err := otherClocks(someClocks(e.dice)); err != nil {
			return d.missing(e.what, err)
		}
	case "scribble":
		_, err := scribbling.On(d.scribbled).Call(ctx, e.dice)
		d.settled(err)
	case "birth":
		pool := &process.Pool{Workers: 2, Config: process.Config{Env: append(os.Environ(), birthEnv+"=1"), Stderr: io.Discard}}
		if _, err := double.On(pool).Call(ctx, 1); err == nil {
			d.judge.violated("a call got an answer of a worker that cannot be born")
		} else {
			d.settled(err)
		}
		pool.Close()
	case "full disk":
		if err := fullDisk(ctx); errors.Is(err, errors.ErrUnsupported) {
			return d.missing(e.what, err)
		} else if err != nil {
			d.judge.violated("%s: %v", e.what, err)
		}
	case "starve":
		return d.program(e.what, starving, process.Config{OpenFiles: openFiles})
	case "crowd":
		return d.program(e.what, crowded, process.Config{Processes: openFiles})
	default:
		if raceBuild && e.what == "memory" {
			return false
		}
		n, err := deed.On(d.rough).Call(ctx, e.what)
		d.settled(err)
		if !deeds[e.what].fits(n, err) && !errors.Is(err, tandem.ErrTimeout) {
			d.judge.violated("%s: %d, %v%s", e.what, n, err, lastWords(err))
		}
	}
	return true
}

// lastWords are what a crash left, for who must find out why.
func lastWords(err error) string {
	crash, ok := errors.AsType[*tandem.CrashError](err)
	if !ok {
		return ""
	}
	text := "\n" + crash.Report + strings.Join(crash.Stderr, "\n")
	return text[:min(len(text), 2000)]
}

// missing notes what cannot be done on this machine.
func (d *disturber) missing(what string, why error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.none[what] = why
	return false
}

// suspend: to all deadlines it looks as if they came due at once. It is over when tasks
// settle again.
func (d *disturber) suspend(ctx context.Context, length time.Duration) {
	stopped, err := suspend(ctx, length)
	if err != nil || stopped < 2 {
		d.judge.violated("%d processes were suspended, %v", stopped, err)
	}
	before := d.judge.settled.Load()
	for end := time.Now().Add(patience); d.judge.settled.Load() < before+100; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			d.judge.violated("no more tasks settle after a suspension")
			return
		}
	}
}

func (d *disturber) settled(err error) {
	d.judge.settled.Add(1)
	if err != nil {
		d.judge.failed.Add(1)
	}
}

// program runs a task that must succeed in a process that has little of something.
func (d *disturber) program(what string, task *tandem.Task[struct{}, int], config process.Config) bool {
	config.Stderr = io.Discard
	h, err := process.Start(context.Background(), config, task, struct{}{})
	if err == nil {
		_, err = h.Wait(context.Background())
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return d.missing(what, err)
	}
	d.settled(err)
	if err != nil && !noThread(err) {
		d.judge.violated("%s: %v", what, err)
	}
	return true
}

// serving are the workers of the working pools and of the service that have settled a
// call, processes of Start, and those that wait in the standby. A worker that is killed
// before it serves is another matter: three in a row, with no other alive, and the pool
// is broken, as it should be.
type serving struct {
	mu      sync.Mutex
	pids    map[int]bool
	stopped map[*process.Process]bool
	frozen  []int // all that ever were
}

// standbyName begins the names of the processes that wait in the standby.
const standbyName = "waiting"

func (s *serving) add(p process.Progress) {
	if p.PID == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pids[p.PID] = true
}

// signal sends sig to one of them, and returns it.
func (s *serving) signal(dice uint64, sig syscall.Signal) *process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	children := process.Children()
	for pid := range s.pids {
		if !slices.ContainsFunc(children, func(p *process.Process) bool { return p.PID() == pid }) {
			delete(s.pids, pid)
		}
	}
	maps.DeleteFunc(s.stopped, func(p *process.Process, _ bool) bool { return !p.Alive() })
	children = slices.DeleteFunc(children, func(p *process.Process) bool { return !s.pids[p.PID()] && !strings.HasPrefix(p.Name(), standbyName) })
	if len(children) == 0 {
		return nil
	}
	slices.SortFunc(children, func(a, b *process.Process) int { return a.PID() - b.PID() })
	victim := children[dice%uint64(len(children))]
	if !send(victim, sig) {
		return nil
	}
	if sig == syscall.SIGSTOP {
		s.stopped[victim] = true
		s.frozen = append(s.frozen, victim.PID())
	}
	return victim
}

// closed judges what Close of something said. A worker that was frozen while it left in
// order is killed, and Close cannot know by whose fault it stayed.
func (d *disturber) closed(what string, err error) {
	if err == nil {
		return
	}
	errs := []error{err}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		errs = all.Unwrap()
	}
	for _, err := range errs {
		if !d.serving.explains(err) {
			d.judge.violated("Close of %s: %v", what, err)
		}
	}
}

// explains reports whether err is about a worker that was frozen and could not leave.
func (s *serving) explains(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.frozen, func(pid int) bool {
		return strings.Contains(err.Error(), fmt.Sprintf("(pid %d) was killed: it was asked to leave", pid))
	})
}

// thaw lets all go on that were stopped.
func (s *serving) thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.stopped {
		send(p, syscall.SIGCONT)
	}
	clear(s.stopped)
}

// send reports whether p had not ended. Where the system has pidfds, FindProcess
// holds the process, so that its number cannot be another's in between.
func send(p *process.Process, sig syscall.Signal) bool {
	held, err := os.FindProcess(p.PID())
	if err != nil {
		return false
	}
	defer held.Release()
	return p.Alive() && held.Signal(sig) == nil
}
