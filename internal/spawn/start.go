package spawn

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/tandem-go/tandem/internal/sys"
)

// Command is a process to be started from this program's own binary, with this
// program's arguments.
type Command struct {
	Env    []string // nil: this process's
	Dir    string
	Stdio  [3]*os.File
	Extra  []*os.File // descriptor 3 and up, as in os/exec
	Worker *os.File   // the worker's end of its channel, behind Extra

	// Enter, if not nil, runs on the thread that forks, before Confine and the fork, and
	// may change attr. leave runs there right after the fork.
	Enter func(attr *syscall.SysProcAttr) (leave func() error, err error)

	// Confine, if not nil, runs on a thread that is made for this process alone, before
	// the fork, and may change for good what a child inherits of its thread, and attr.
	// undo, if not nil, is called there when the process has ended. Such a process
	// closes whatever else it inherits.
	Confine func(attr *syscall.SysProcAttr) (undo func(), err error)
}

// Proc is a started process, the leader of its process group. It is reaped by
// itself. Its methods are safe for concurrent use.
type Proc struct {
	PID  int
	done chan struct{}

	mu     sync.Mutex // held for each signal, so that none meets a pid used again
	reaped bool
	state  *os.ProcessState
	proc   *os.Process
	onEnd  func()
}

// Start starts c. The call takes as long as an exec, most of a millisecond.
func Start(c Command) (*Proc, error) {
	path, err := self()
	if err != nil {
		return nil, err
	}
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	attr := &os.ProcAttr{
		Dir:   c.Dir,
		Env:   withMarker(env, c.role()),
		Files: append(append(c.Stdio[:len(c.Stdio):len(c.Stdio)], c.Extra...), c.Worker),
	}
	return launch(path, os.Args, attr, true, &c)
}

// launch runs one exec, on the starter thread or on a confined one, as c says besides.
func launch(path string, args []string, attr *os.ProcAttr, worker bool, c *Command) (*Proc, error) {
	p := &Proc{done: make(chan struct{})}
	var watch func() bool // blocks until the process has ended; false: it cannot
	var err, refused error
	attr.Sys, watch = attributes(worker)
	start := func() {
		p.proc, err = os.StartProcess(path, args, attr)
		if err == nil && worker {
			warden.add(p.proc.Pid)
		}
	}
	if c.Confine == nil {
		OnStarter(func() { refused = c.entered(p, attr.Sys, start) })
	} else {
		onConfined(p.done, func() (undo func(), well bool) {
			out := c.entered(p, attr.Sys, func() {
				if undo, refused = c.Confine(attr.Sys); refused == nil {
					start()
				}
			})
			refused = cmp.Or(refused, out)
			return undo, refused == nil && err == nil
		})
	}
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		// The exec's error names the binary, whichever of the two is missing.
		if _, missing := os.Stat(attr.Dir); attr.Dir != "" && missing != nil {
			return nil, fmt.Errorf("tandem: starting a process: its working directory: %w", missing)
		}
		return nil, fmt.Errorf("tandem: starting a process from %s: %w", path, err)
	}
	p.PID = p.proc.Pid
	go p.reap(watch, worker)
	return p, nil
}

// entered runs start between Enter and its leave. A thread that cannot leave would take
// along what it starts next: so the process that it has just started must not live.
func (c *Command) entered(p *Proc, attr *syscall.SysProcAttr, start func()) error {
	if c.Enter == nil {
		start()
		return nil
	}
	leave, err := c.Enter(attr)
	if err != nil {
		return fmt.Errorf("tandem: starting a process in a cgroup: %w", err)
	}
	start()
	if err = leave(); err == nil {
		return nil
	}
	if p.proc != nil {
		p.proc.Kill()
		p.proc.Wait()
		warden.remove(p.proc.Pid)
	}
	return fmt.Errorf("tandem: starting a process in a cgroup: the way back: %w", err)
}

// starter is the thread from which all processes are started. The kernel sends
// the parent-death signal when the *thread* that forked ends, and Go ends
// threads when it likes; this one is locked to a goroutine that never ends.
var starter = sync.OnceValue(func() chan<- func() {
	work, begun := make(chan func()), make(chan struct{})
	go serve(work, begun)
	<-begun
	return work
})

// serve is the starter. It is not the main thread, which is the one that says in which
// groups the program is, and where its memory counts.
func serve(work <-chan func(), begun chan<- struct{}) {
	runtime.LockOSThread()
	if sys.Gettid() == sys.MainTid() {
		other := make(chan struct{})
		go serve(work, other) // on another thread, for this one is taken
		<-other
		runtime.UnlockOSThread()
		close(begun)
		return
	}
	close(begun)
	for f := range work {
		f()
	}
}

// OnStarter runs f on the thread from which all processes are started, and returns when
// it has. What f changes of that thread, its children are born with.
func OnStarter(f func()) {
	done := make(chan struct{})
	starter() <- func() {
		defer close(done)
		f()
	}
	<-done
}

// reap waits for the end of the process and takes what is left of its group
// along. Where the end can be watched, the group is killed while its leader is
// still a zombie: until it is reaped, no other process can have its number.
// Elsewhere it is killed right after, which is as good as numbers are not used
// again at once.
func (p *Proc) reap(watch func() bool, worker bool) {
	zombie := watch()
	if !zombie {
		p.state, _ = p.proc.Wait()
	}
	p.mu.Lock()
	if worker {
		killGroup(p.PID)
		warden.remove(p.PID)
	}
	p.reaped = true
	if zombie {
		p.state, _ = p.proc.Wait()
	}
	onEnd := p.onEnd
	p.onEnd = nil // who keeps p is not to keep what f holds
	p.mu.Unlock()
	close(p.done)
	if onEnd != nil {
		onEnd()
	}
	if worker && os.Getpid() == 1 {
		reapGroup(p.PID)
	}
}

// OnEnd has f called once when the process has ended, now if it has already. f
// must not block.
func (p *Proc) OnEnd(f func()) {
	p.mu.Lock()
	ended := p.reaped
	if !ended {
		p.onEnd = f
	}
	p.mu.Unlock()
	if ended {
		f()
	}
}

// Done is closed when the process has ended and was reaped.
func (p *Proc) Done() <-chan struct{} { return p.done }

// State says how the process ended, nil before Done.
func (p *Proc) State() *os.ProcessState {
	select {
	case <-p.done:
		return p.state
	default:
		return nil
	}
}

// Signal sends a signal to the process; os.ErrProcessDone after its end.
func (p *Proc) Signal(sig os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return p.proc.Signal(sig)
}

// Kill ends the process and all of its group at once.
func (p *Proc) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	killGroup(p.PID)
	return p.proc.Kill()
}

// self is the path of this program's binary, found once. On Linux the link of
// /proc is used itself: it reaches the running binary also after the file was
// deleted or replaced.
var self = sync.OnceValues(func() (string, error) {
	const link = "/proc/self/exe"
	if runtime.GOOS == "linux" {
		if _, err := os.Stat(link); err == nil {
			return link, nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("tandem: where is this program's own binary? %w", err)
	}
	return path, nil
})
