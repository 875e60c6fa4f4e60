package process

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/spawn"
)

// Process describes a process: one that was started here, this one (Current), or
// the one that started this one (Parent). Its methods are safe for concurrent
// use.
type Process struct {
	name atomic.Pointer[string] // a standby's changes, once
	pid  int
	proc *spawn.Proc   // nil for Current and Parent
	done chan struct{} // nil for Current and Parent
	code atomic.Int64  // exit code, valid when done is closed

	sandbox string
}

func newProcess(name string, proc *spawn.Proc, sandbox string) *Process {
	p := &Process{pid: proc.PID, proc: proc, sandbox: sandbox, done: make(chan struct{})}
	p.name.Store(&name)
	children.Lock()
	defer children.Unlock()
	children.alive = append(children.alive, p)
	return p
}

// described is a process that was not started here.
func described(name string, pid int) *Process {
	p := &Process{pid: pid}
	p.name.Store(&name)
	return p
}

func (p *Process) ended(state *os.ProcessState) { p.endedWith(exitCode(state)) }

func (p *Process) endedWith(code int) {
	p.code.Store(int64(code))
	children.Lock()
	children.alive = slices.DeleteFunc(children.alive, func(c *Process) bool { return c == p })
	children.Unlock()
	close(p.done)
}

var children struct {
	sync.Mutex
	alive []*Process
}

// Name is the process's name, "Process-1" by default; the root program's is
// "MainProcess".
func (p *Process) Name() string { return *p.name.Load() }

// PID is the system's number of the process.
func (p *Process) PID() int { return p.pid }

// Sandbox says for people what of Config.Sandbox is in force; "" without one, and for
// the current process and its parent.
func (p *Process) Sandbox() string { return p.sandbox }

// Done is closed when the process has ended and everything about its end is
// known. It is nil, and never ready, for the current process and its parent.
func (p *Process) Done() <-chan struct{} { return p.done }

// Alive reports whether the process has not ended.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return p.done != nil || p.pid == os.Getpid() || p.pid == os.Getppid()
	}
}

// ExitCode is 0 for a task that returned a value, 1 for an error or a panic, the
// code given to os.Exit, and -N for an end by signal N. ended is false while the
// process runs.
func (p *Process) ExitCode() (code int, ended bool) {
	if p.done == nil {
		return 0, false
	}
	select {
	case <-p.done:
		return int(p.code.Load()), true
	default:
		return 0, false
	}
}

// Interrupt sends the signal of Ctrl-C. The process ends, unless the task
// handles the signal by os/signal. To end a task's context, cancel its call.
func (p *Process) Interrupt() error { return p.signal(os.Interrupt) }

// Terminate sends SIGTERM. Deferred functions of the task do not run.
func (p *Process) Terminate() error { return p.signal(syscall.SIGTERM) }

// Kill ends the process and its process group at once.
func (p *Process) Kill() error {
	if p.proc == nil {
		return errNotOurs(p)
	}
	return p.proc.Kill()
}

// signal returns os.ErrProcessDone for a process that has ended.
func (p *Process) signal(sig os.Signal) error {
	if p.proc == nil {
		return errNotOurs(p)
	}
	return p.proc.Signal(sig)
}

func errNotOurs(p *Process) error {
	if p.done != nil {
		return errInline(p)
	}
	return fmt.Errorf("tandem: %s (pid %d) was not started by this process, which must not end it", p.Name(), p.pid)
}

// Current describes this process.
func Current() *Process {
	if child.Self.Depth == 0 {
		return described("MainProcess", os.Getpid())
	}
	return described(child.Self.Name, os.Getpid())
}

// Parent describes the process that started this one as a worker; nil in a root
// program.
func Parent() *Process {
	if child.Self.Depth == 0 {
		return nil
	}
	return described(child.Self.ParentName, os.Getppid())
}

// Children returns the processes that this one has started and that have not
// ended, the workers of pools among them, oldest first.
func Children() []*Process {
	children.Lock()
	defer children.Unlock()
	return slices.Clone(children.alive)
}

// started counts the default names given in this process.
var started atomic.Int64

// nextName is the default name: Process-1, and in a worker Process-1:1.
func nextName() string {
	n := started.Add(1)
	if child.Self.Depth == 0 {
		return fmt.Sprintf("Process-%d", n)
	}
	return fmt.Sprintf("%s:%d", child.Self.Name, n)
}
