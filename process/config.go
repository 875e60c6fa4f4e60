package process

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/sys"
)

// Config says how a process is started. Its zero value is ready; the fields
// that os/exec has too mean the same, but for the zero of the standard streams.
type Config struct {
	// Name is for people. "" means "Process-1", "Process-2", in a worker
	// "Process-1:1" and so on.
	Name string

	// Limits bounds the task; in a Pool, use Pool.Limits.
	Limits tandem.Limits

	// Env is the environment, nil this process's own.
	Env []string

	// Dir is the working directory, "" this process's own.
	Dir string

	// Stdin is the standard input, nil the null device: workers would steal the
	// input from each other and from this process.
	Stdin *os.File

	// Stdout is where standard output goes, nil this process's own. A *os.File is
	// handed to the process, whose writes go there as they are; any other Writer gets
	// whole lines, one Write at a time for all workers of a pool. A line of more than
	// 64 KiB comes in several Writes. Whose line has no end yet when another worker
	// writes gets one, so that no line holds the text of two workers. A slow Writer
	// slows down who writes to it; what it refuses is dropped. When a worker has ended,
	// a Write that takes longer than the grace time and a second, those of other workers
	// before it included, is not waited for: it may still be going on after Close or Wait,
	// and what was to follow is dropped.
	Stdout io.Writer

	// Stderr is where standard error goes, nil this process's own. It always
	// passes through this process line by line, which keeps the last lines for
	// CrashError. io.Discard silences it. It is waited for as Stdout is.
	Stderr io.Writer

	// Prefix puts "[Pool-1-2 pkg.resize] " before each line of Stdout and Stderr: the
	// worker, and the task that runs in it, or ran last, when the line arrives. In a
	// worker where several run, none is named.
	Prefix bool

	// Logger, if not nil, gets what is logged in the process by log/slog and log: level,
	// time, message, attributes, groups and source line come as they were made, with
	// the attributes worker and task. A record of more than 64 KiB is cut; a value of a
	// type of its own comes as the text that slog makes of it. Levels that the Logger
	// refuses when the process starts are not sent at all. A Stdout or Stderr that is
	// nil goes there too, a line a record, with the attribute stream, at slog.LevelInfo
	// and slog.LevelWarn.
	//
	// Its Handler is called by goroutines of this package. While it is slow, tasks that
	// log wait. All records have been handled when the pool's Close or the Handle's Wait
	// returns, unless it takes longer for one than a Stdout may; a call may return a moment
	// before its last ones.
	Logger *slog.Logger

	// ExtraFiles are descriptors 3 and up of the process, as in os/exec. A task's
	// argument can hold files too, and needs no numbers.
	ExtraFiles []*os.File

	// MaxStack is the largest stack of one goroutine in bytes. Zero means 64 MiB, or
	// what a Limits.Memory leaves room for, if that is less: endless recursion is
	// then reported as what it is and not as lack of memory. (Below a limit of about
	// 80 MiB there is no room, and it is reported as that.)
	MaxStack int

	// OpenFiles is how many descriptors the process may have open, 0 as many as this
	// one. About 20 are its own, and one for each of Pool.Threads; fewer than 64 are
	// refused. A task that opens more gets EMFILE; what it starts has the same limit.
	OpenFiles int

	// Processes is how many processes there may be of the task and all that it starts,
	// each of their threads counted as one, 0 any number (Linux, where there is a pids
	// cgroup in which a group can be made). A worker itself has about 16, one more for
	// each call that waits in the system, and Pool.Threads; fewer than 64 are refused.
	// What is too many gets EAGAIN. When the worker ends, what it has left running goes
	// too, even from a session of its own.
	Processes int

	// Nice is how much less than this process the task asks of the processors, from 0
	// to 19 (Linux). The system derives the priority of its reads and writes from it.
	Nice int

	// IOClass is how the task's reads and writes of devices rank with those of other
	// processes (Linux), IOInherit as this process's do. IOLevel is the place in the
	// class IOBestEffort, from 0, the first, to 7. What the task starts has both, too. It
	// is the device's scheduler that heeds them: of those in Linux bfq does, mq-deadline
	// heeds the class, none and kyber do not; tandem doctor says which are in use.
	IOClass IOClass
	IOLevel int

	// CPUs are the processors that the task may run on, nil those of this process
	// (Linux). tandem.CPUs counts them there.
	CPUs []int

	// Sandbox is what the process cannot do, nil nothing but what this one cannot.
	Sandbox *Sandbox

	// Dumps is where a file is kept of each crash, nil nowhere.
	Dumps *Dumps

	// InitTimeout is how long the process may take to reach tandem.Init. Zero
	// means 30 s.
	InitTimeout time.Duration

	// Standby lends Start a process that has booted already, if one is ready;
	// otherwise one is booted as its Config says. Of the other fields only Name and
	// Limits can be set beside it. A Pool refuses it.
	Standby *Standby
}

// plan is a Config with its place in the world: all that starting a worker takes.
type plan struct {
	Config
	lanes       int
	rings       bool // calls go through shared memory
	single      bool
	standby     bool
	maxProcs    int
	vars        []byte
	setup, exit child.Hook
	setupName   string               // for errors
	segments    *slab.Pool           // for what is large in the calls' arguments; nil: it goes with the rest
	sink        *sink                // where the lines of all workers go
	doing       func(*worker) string // the task that runs in a worker, "" if that is not known
}

// direct says that the one call goes through the control channel; see child.Hello.
func (p *plan) direct() bool { return p.single && !p.standby }

// checkStart is what must be true before any process can start.
func checkStart() error {
	if !child.Root.Ready() {
		advice := "it must be the first line of main"
		if name := os.Args[0]; strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".test.exe") {
			advice = "in a test binary add: func TestMain(m *testing.M) { tandem.Init(); os.Exit(m.Run()) }"
		}
		return fmt.Errorf("tandem: cannot start a process: %w: %s", tandem.ErrNotInit, advice)
	}
	if child.Self.Depth >= child.MaxDepth {
		return fmt.Errorf("tandem: cannot start a process: this is a worker of a worker, %d deep, which is the limit; does a task start itself?", child.Self.Depth)
	}
	return nil
}

// check reports what in c makes no sense or cannot be kept here.
func (c *Config) check() error {
	if err := c.Limits.Check(); err != nil {
		return err
	}
	if err := checkMemory(c.Limits.Memory); err != nil {
		return err
	}
	if err := checkCPU(c.Limits.CPU); err != nil {
		return err
	}
	if err := c.Sandbox.check(); err != nil {
		return err
	}
	if err := c.Dumps.check(); err != nil {
		return err
	}
	switch {
	case c.MaxStack < 0:
		return fmt.Errorf("tandem: Config.MaxStack is negative (%d); zero means 64 MiB", c.MaxStack)
	case c.OpenFiles < 0:
		return fmt.Errorf("tandem: Config.OpenFiles is negative (%d); zero means as many as this process", c.OpenFiles)
	case c.OpenFiles > 0 && c.OpenFiles < minFiles:
		return fmt.Errorf("tandem: Config.OpenFiles of %d cannot be kept: a worker needs some for itself; use at least %d: %w", c.OpenFiles, minFiles, errors.ErrUnsupported)
	case c.OpenFiles > 0 && !sys.CanLimitFiles:
		return fmt.Errorf("tandem: Config.OpenFiles cannot be kept on this system: %w", errors.ErrUnsupported)
	case c.InitTimeout < 0:
		return fmt.Errorf("tandem: Config.InitTimeout is negative (%v); zero means 30 s", c.InitTimeout)
	}
	return c.checkMachine()
}

// minFiles is the least Config.OpenFiles.
const minFiles = 64

// checkMemory refuses a memory limit where none can be kept.
func checkMemory(bytes int64) error {
	switch {
	case bytes == 0:
		return nil
	case !sys.CanLimitData:
		return fmt.Errorf("tandem: Limits.Memory cannot be kept on this system: %w", errors.ErrUnsupported)
	case raceEnabled:
		return fmt.Errorf("tandem: Limits.Memory cannot be kept in a race build, whose shadow memory counts too: %w", errors.ErrUnsupported)
	}
	return nil
}

// checkCPU refuses a limit of processor time where none can be kept.
func checkCPU(limit time.Duration) error {
	if limit == 0 || countsCPU() {
		return nil
	}
	return fmt.Errorf("tandem: Limits.CPU cannot be kept on this system, which does not tell a process's time to another: %w", errors.ErrUnsupported)
}

var countsCPU = sync.OnceValue(func() bool {
	_, err := sys.CPUTime(os.Getpid())
	return err == nil
})

// divides refuses a limit of what the threads of a worker use together.
func (p *plan) divides(l tandem.Limits) error {
	if l.CPU > 0 && p.lanes > 1 {
		return fmt.Errorf("tandem: Limits.CPU cannot be kept in a worker with %d threads, whose time is counted together; use more workers: %w", p.lanes, errors.ErrUnsupported)
	}
	return nil
}

func (c *Config) maxStack() int64 {
	if c.MaxStack > 0 {
		return int64(c.MaxStack)
	}
	return child.MaxStack(c.Limits.Memory)
}

func (c *Config) initTimeout() time.Duration {
	if c.InitTimeout > 0 {
		return c.InitTimeout
	}
	return 30 * time.Second
}

// hook turns a bound call into what the worker is told.
func hook(b tandem.Bound) (child.Hook, error) {
	var h child.Hook
	if b.IsZero() {
		return h, nil
	}
	spec, input, err := b.Encoded()
	h.Info.Task, h.Info.Schema, h.Input = spec.ID(), spec.Schema, input
	return h, err
}

// childProcs is a worker's GOMAXPROCS: its share of the processors, enough for
// its threads, and never one, with which the runtime neither finds concurrent
// map writes nor reads a cancellation beside a busy task in good time.
func childProcs(workers, threads int, cpus []int) int {
	usable := tandem.CPUs()
	if n := len(cpus); n > 0 {
		usable = min(usable, n)
	}
	return max(2, (usable+workers-1)/workers, min(threads, usable))
}
