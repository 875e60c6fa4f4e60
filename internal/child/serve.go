package child

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/leak"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/slab"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/internal/wire"
)

// Program is what the root package lends to this package and to process, which
// cannot see it otherwise: the root must not import what imports it.
type Program struct {
	// Find returns the task of a call.
	Find func(c *wire.CallInfo) (Callee, error)
	// Outcome appends an error as an outcome to dst.
	Outcome func(dst []byte, err error) []byte
	// Failure is the inverse of Outcome.
	Failure func(outcome []byte) error
	// Goexit is the error of a task that ended its goroutine.
	Goexit error
	// Snapshot and Inherit are the two ends of the variables' way.
	Snapshot func() []byte
	Inherit  func([]byte) error
	// Identity is a hash of the build and one of the task table.
	Identity func() (build, tasks uint64)
	// Rehearse makes what the first call would make.
	Rehearse func()
	// Ready reports whether Init was called.
	Ready func() bool
}

// Callee is a task with the head of a call.
type Callee interface {
	// Name is the task's full name.
	Name() string
	// Call appends the outcome of one call to dst. failed says that it is an error;
	// err that the call was not started.
	Call(ctx context.Context, in []byte, h *codec.Handles, dst []byte) (out []byte, failed bool, err error)
	// Items runs calls one after the other until all are done, Begin says no, or an
	// outcome does not fit. An error says why call it.Done was not started.
	Items(ctx context.Context, it *Items) error
}

// Root is this program's Program, set by the root package's init.
var Root Program

// Self describes this process if it is a worker; Depth 0 is a root program.
var Self Hello

// worker is the state of a process that serves.
type worker struct {
	hello   Hello
	control *wire.Conn
	page    *sys.Page
	lanes   []*lane
	leave   sync.Once

	results   *slab.Pool // for what is large in results; nil: it goes with the rest
	arguments slab.Reader

	calls atomic.Int64 // that run; leaving is added when no further one begins
	code  atomic.Int32 // exit code of a process with a single call
	mu    sync.Mutex
	idle  *sync.Cond // calls went down, after leaving
}

const leaving = 1 << 32

// Serve is the rest of a worker's life. It does not return.
func Serve() {
	fd, _ := spawn.Channel()
	sys.CloseOnExec(fd) // it had to pass one exec, it must not pass another
	// Blocking: the poller would have to be started on the way to the first task,
	// and a worker needs it for nothing else.
	w := &worker{control: wire.NewBlocking(fd), arguments: slab.Reader{Kind: mem.KindArgument}}
	w.idle = sync.NewCond(&w.mu)
	if err := w.begin(); err != nil {
		frame := append(wire.Room(nil), err.Error()...)
		w.control.Send(wire.Refused, 0, frame, nil)
		die(err)
	}
	if !w.hello.Direct() {
		go w.obey()
	}
	w.setup()
	for _, l := range w.lanes[1:] {
		go l.run()
	}
	w.lanes[0].run() // returns when the parent lets go of it; the rest is obey's
	select {}
}

// die ends a worker that cannot even speak to its parent; the parent keeps the
// last lines of its standard error.
func die(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// begin reads the Start frame and becomes what it says.
func (w *worker) begin() error {
	hd, body, fds, err := w.control.RecvFirst()
	if err != nil {
		return fmt.Errorf("tandem: worker: reading the start frame: %w", err)
	}
	if hd.Kind != wire.Start {
		return fmt.Errorf("tandem: worker: the first frame is %v", hd.Kind)
	}
	if w.hello, err = parseHello(body); err != nil {
		return fmt.Errorf("tandem: worker: start frame: %w", err)
	}
	Self = w.hello
	build, tasks := Root.Identity()
	if build != w.hello.Build || tasks != w.hello.Tasks {
		return fmt.Errorf("tandem: worker: this is not the program that started it (build %x, tasks %x; the parent has %x, %x); was the binary replaced, or does a task's registration depend on the environment?",
			build, tasks, w.hello.Build, w.hello.Tasks)
	}
	if err := w.take(fds); err != nil {
		return err
	}
	w.page.Word(PhaseWord).Store(PhaseInit)
	w.limit()
	if err := w.confine(); err != nil {
		return err
	}
	return Root.Inherit(w.hello.Vars)
}

// limit sets what the process as a whole must keep.
func (w *worker) limit() {
	// What holds for threads first: there are few, and all others come of them.
	if cpus := w.hello.CPUs; len(cpus) > 0 {
		if err := sys.BindAll(cpus); err != nil {
			die(err)
		}
	}
	if n := w.hello.Nice; n > 0 {
		if err := sys.Renice(n); err != nil {
			die(err)
		}
	}
	if class := w.hello.IOClass; class != 0 {
		if err := sys.RankIO(class, w.hello.IOLevel); err != nil {
			die(err)
		}
	}
	// Where a process is born with one processor, a direct one gets its second when
	// its task first waits, or after the 10 ms that a goroutine may run: a world that
	// stops, and the thread that comes of it, are 45 µs of a start. Until then no two
	// goroutines run that could write a map at once.
	if !w.hello.Direct() || runtime.GOMAXPROCS(0) > 1 {
		w.spread()
	}
	if w.hello.MaxStack > 0 {
		debug.SetMaxStack(int(w.hello.MaxStack))
	}
	if n := w.hello.OpenFiles; n > 0 {
		if err := sys.LimitFiles(n); err != nil {
			die(err)
		}
	}
	if n := w.hello.Core; n > 0 {
		if err := sys.LimitCore(n); err != nil {
			die(err)
		}
		debug.SetTraceback("crash") // or else the runtime ends with a status, and nothing is dumped
	}
	if m := w.hello.Memory; m > 0 {
		if err := w.limitData(m); err != nil {
			die(err)
		}
		debug.SetMemoryLimit(softMemory(m))
	}
}

// limitData bounds the private data of this process, unless its group does that better.
func (w *worker) limitData(m int64) error {
	if w.hello.Grouped {
		return nil
	}
	return sys.LimitData(m)
}

// spread sets how many processors this process uses, by call and not by environment:
// what a task starts must not inherit it.
func (w *worker) spread() {
	if n := w.hello.MaxProcs; n > 0 && n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}

// MaxStack is the largest stack of a goroutine under a memory limit of m, 0 for
// none. A growing stack is copied to one of twice the size, so all its sizes
// together take twice the largest, beside the 50 MiB of the runtime and the rest.
func MaxStack(m int64) int64 {
	if m == 0 {
		return 64 << 20
	}
	return min(64<<20, max(1<<20, (m-56<<20)/4))
}

// softMemory is where the garbage collector begins to work harder, below a limit
// of m: the runtime itself needs about 40 MiB of it.
func softMemory(m int64) int64 { return (m - 40<<20) / 10 * 9 }

// setup runs the Setup hook and says that the lanes are open.
func (w *worker) setup() {
	if text := w.hello.Setup.Run(context.Background()); text != nil {
		frame := append(wire.Room(nil), text...)
		w.control.Send(wire.Refused, 1, frame, nil)
		os.Exit(1)
	}
	if w.hello.Standby {
		Root.Rehearse()
	}
	w.page.Word(PhaseWord).Store(PhaseServing)
	if !w.hello.Single || w.hello.Standby { // the parent of a single call waits for its outcome only
		w.control.Send(wire.Ready, 0, wire.Room(nil), nil)
	}
}

// hearken begins to obey in a direct process, whose call has been read.
func (w *worker) hearken() {
	w.control = w.control.Heir()
	go func() {
		w.spread()
		w.obey()
	}()
}

// obey reads what the parent says beside the calls, until it says no more.
func (w *worker) obey() {
	for {
		var h codec.Handles
		hd, body, err := w.control.Recv(1<<20, &h)
		if err == nil && hd.Kind == wire.Profile {
			makeProfile(body, &h)
		}
		h.Close()
		if err != nil {
			// End of file: the parent is gone, or has let go of this worker.
			// Whatever runs has nobody to answer to.
			w.page.Word(PhaseWord).Store(PhaseCut)
			spawn.KillSelf()
		}
		switch hd.Kind {
		case wire.Cancel:
			if r := wire.NewReader(body); true {
				if i := r.Uint64(); r.Err() == nil && i < uint64(len(w.lanes)) {
					w.lanes[i].cancelCall(hd.Seq)
				}
			}
		case wire.Exit:
			go func() {
				w.quiesce()
				w.exit(int(w.code.Load()))
			}()
		}
	}
}

// enter lets a call begin, unless the worker is leaving: then the call is never
// begun, which its parent finds in the page.
func (w *worker) enter() {
	if w.calls.Add(1) >= leaving {
		w.done()
		select {}
	}
}

func (w *worker) done() {
	if w.calls.Add(-1) >= leaving {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.idle.Broadcast()
	}
}

// quiesce returns when no call runs and none will.
func (w *worker) quiesce() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls.Or(leaving)
	for w.calls.Load() != leaving {
		w.idle.Wait()
	}
}

// exit runs the Exit hook and ends the process in the orderly way, which writes
// coverage data and lets the race detector report.
func (w *worker) exit(code int) {
	w.leave.Do(func() {
		w.page.Word(PhaseWord).Store(PhaseLeaving)
		if failure := w.hello.Exit.Run(context.Background()); failure != nil && code == 0 {
			w.control.Send(wire.Refused, 2, append(wire.Room(nil), failure...), nil)
			code = 1
		}
		leak.Leave(w.hello.Name)
		os.Exit(code)
	})
	select {} // another goroutine is leaving
}
