package tandem

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/child"
)

// definition is a registered task without its types.
type definition struct {
	name, short string
	id          uint64        // of the name
	schema      func() uint64 // computed once
	idempotent  bool
	where       string // file:line of NewTask, for the panic about a second one
	far         farTask
}

// farTask is the far side of a task's calls, with its types: *Task[In, Out].
type farTask interface {
	schema() uint64
	execute(ctx context.Context, s Spec, in []byte, h *Handles, dst []byte) ([]byte, error)
	executeItems(ctx context.Context, s Spec, it *Items) error
	relay(ctx context.Context, r Runner, s Spec, in []byte, h *Handles, dst []byte) ([]byte, error)
}

// registry holds the tasks of the program. It is written only before Init and
// read without a lock after it.
var registry struct {
	sync.Mutex
	tasks map[string]*definition
	ids   map[uint64]*definition
	vars  map[string]variable
	ready bool // Init was called
}

func register(short string, task farTask) *definition {
	pkg, where := creator()
	if err := checkName(short); err != nil {
		panic(fmt.Sprintf("tandem: NewTask(%q) at %s: %v", short, where, err))
	}
	d := &definition{
		name: pkg + "." + short, short: short, where: where, far: task,
		schema: sync.OnceValue(task.schema),
	}
	d.id = hashName(d.name)
	registry.Lock()
	defer registry.Unlock()
	if registry.ready {
		panic(fmt.Sprintf("tandem: NewTask(%q) at %s was called after Init, so no worker would know the task; make it a package-level variable", short, where))
	}
	if other := registry.tasks[d.name]; other != nil {
		panic(fmt.Sprintf("tandem: NewTask(%q) at %s: package %s has a task of that name already, made at %s; choose another name", short, where, pkg, other.where))
	}
	if other := registry.ids[d.id]; other != nil { // never, with 64 bits
		panic(fmt.Sprintf("tandem: NewTask(%q) at %s: its name and that of %s have the same hash; choose another name", short, where, other.name))
	}
	if registry.tasks == nil {
		registry.tasks = make(map[string]*definition)
		registry.ids = make(map[uint64]*definition)
	}
	registry.tasks[d.name], registry.ids[d.id] = d, d
	return d
}

func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("the name is empty")
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return fmt.Errorf("the name has a control character at byte %d", i)
	}
	return nil
}

// creator finds the package that called NewTask or NewVar, and where.
func creator() (pkg, where string) {
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		pkg = packageOf(f.Function)
		// The generic NewTask and NewVar are instantiated under this package's
		// name, and so are those of package process that make tasks for others; the
		// first frame outside is the caller's. Their own external tests have another
		// import path.
		if pkg != "github.com/tandem-go/tandem" && pkg != "github.com/tandem-go/tandem/process" || !more {
			return pkg, fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
}

// packageOf cuts a function's full name down to its import path. A dot inside
// the last path element is escaped by the linker, so the first one after the
// last slash ends the path; type arguments may hold slashes and go first.
func packageOf(function string) string {
	if i := strings.IndexByte(function, '['); i >= 0 {
		function = function[:i]
	}
	slash := strings.LastIndexByte(function, '/')
	if dot := strings.IndexByte(function[slash+1:], '.'); dot >= 0 {
		return function[:slash+1+dot]
	}
	return function
}

// Execute runs a task on the far side of any transport: it decodes in, runs the
// task, and appends the outcome (its value or its error) to dst for
// Job.SetOutput. h holds the descriptors that came with in, and on return those
// that go with the outcome; nil where there are none.
//
// An error means that there is no outcome, because the task was never started:
// it is unknown here, was built with other types, or its argument could not be
// decoded. runtime.Goexit in the task ends the calling goroutine.
func Execute(ctx context.Context, s Spec, in []byte, h *Handles, dst []byte) ([]byte, error) {
	ctx, task, err := farSide(ctx, &s)
	if err != nil {
		return dst, err
	}
	return task.execute(ctx, s, in, h, dst)
}

// Relay is Execute for a call that goes on to r: the task runs there. Limits of s are
// kept by r. The argument is decoded on its way, so what a hostile process sent goes
// no further than here if it is none.
func Relay(ctx context.Context, r Runner, s Spec, in []byte, h *Handles, dst []byte) ([]byte, error) {
	ctx, task, err := farSide(ctx, &s)
	if err != nil {
		return dst, err
	}
	return task.relay(ctx, r, s, in, h, dst)
}

// AppendFailure appends the outcome of a call that ended with err, for Job.SetOutput.
func AppendFailure(dst []byte, err error) []byte { return appendError(append(dst, outcomeError), err) }

// Items is a run of calls of one task, for ExecuteItems. Set N, In, Begin, and Out
// to an empty slice with room for the outcomes; In is what Chunk.AppendInputs gave.
type Items = child.Items

// ExecuteItems is Execute for calls one after the other, whose arguments hold no
// descriptors. It returns when all have an outcome in it.Out, when it.Begin said
// no, and after an outcome that has to go alone: it.Over and it.Handles are for
// Job.SetOutput. A panic in a task is an outcome; so is runtime.Goexit, which ends
// the calling goroutine nevertheless, with it up to date.
//
// An error says why call it.Done was not started.
func ExecuteItems(ctx context.Context, s Spec, it *Items) error {
	ctx, task, err := farSide(ctx, &s)
	if err != nil {
		return err
	}
	return task.executeItems(ctx, s, it)
}

// farSide finds the task of a call that has arrived, and makes its context.
func farSide(ctx context.Context, s *Spec) (context.Context, farTask, error) {
	d := registry.tasks[s.Name]
	if d == nil {
		return nil, nil, fmt.Errorf("tandem: %s: this program has no such task; both sides must be the same program", s.Name)
	}
	if err := d.fits(s); err != nil {
		return nil, nil, err
	}
	return s.inContext(ctx), d.far, nil
}

// fits checks that the task is the same on both sides.
func (d *definition) fits(s *Spec) error {
	if d.schema() != s.Schema {
		return fmt.Errorf("tandem: %s: its argument or result has another structure here; both sides must be built from the same source", d.name)
	}
	return nil
}

// inContext is ctx with what a task finds in it on the far side.
func (s *Spec) inContext(ctx context.Context) context.Context {
	if len(s.Meta) > 0 {
		ctx = context.WithValue(ctx, metaKey{}, s.Meta)
	}
	return ctx
}

func hashName(name string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, name)
	return h.Sum64()
}

// tableHash identifies the tasks of this program by their names; the structure of
// their types is compared at each call. It is a sum, so that the map need not be
// sorted at every start.
func tableHash() (sum uint64) {
	for id := range registry.ids {
		sum += id * 0x9e3779b97f4a7c15
	}
	return sum
}
