package tandem

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/spawn"
	"github.com/tandem-go/tandem/internal/wire"
)

// Init must be the first line of main, and of TestMain in a test binary that
// starts processes. In an ordinary program it returns at once: from now on no
// task can be made. In a worker it serves and never returns, so that what
// follows it in main runs in the root program only.
//
// What runs in a worker before Init: package initialisation, and whatever main
// does above this line.
func Init() {
	registry.Lock()
	registry.ready = true
	registry.Unlock()
	if _, ok := spawn.Channel(); ok {
		child.Serve()
	}
}

// identity hashes what must be the same in a parent and its workers: how the
// program was built, and its tasks. The distance between two functions stands
// for the build: another build hardly ever lays out its code the same way, and
// asking for the build information would cost more than the rest of a start.
var identity = sync.OnceValues(func() (build, tasks uint64) {
	h := fnv.New64a()
	io.WriteString(h, runtime.Version()+runtime.GOOS+runtime.GOARCH)
	layout := reflect.ValueOf(Init).Pointer() - reflect.ValueOf(runtime.GC).Pointer()
	return h.Sum64() ^ uint64(layout), tableHash()
})

func init() {
	child.Root = child.Program{
		Find:    find,
		Outcome: func(dst []byte, err error) []byte { return appendError(append(dst, outcomeError), err) },
		Failure: func(outcome []byte) error {
			kind, body, err := splitOutcome(outcome)
			if err == nil && kind == outcomeError {
				var failure error
				if failure, err = decodeError(body); err == nil {
					return failure
				}
			}
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		},
		Goexit:   &PanicError{Value: goexit},
		Snapshot: snapshot,
		Inherit:  inheritAll,
		Identity: identity,
		Rehearse: rehearse,
		Ready: func() bool {
			registry.Lock()
			defer registry.Unlock()
			return registry.ready
		},
	}
}

// find finds the task of a call that has arrived.
func find(c *wire.CallInfo) (child.Callee, error) {
	d := registry.ids[c.Task]
	if d == nil {
		return nil, fmt.Errorf("tandem: this program has no task %x; both sides must be the same program", c.Task)
	}
	s := Spec{Name: d.name, id: d.id, Schema: c.Schema, Meta: c.Meta, Limits: Limits{Output: c.Output}}
	if err := d.fits(&s); err != nil {
		return nil, err
	}
	return &callee{d.far, s}, nil
}

// callee is a task with what it needs to know of its calls.
type callee struct {
	far  farTask
	spec Spec
}

func (c *callee) Name() string { return c.spec.Name }

func (c *callee) Call(ctx context.Context, in []byte, h *codec.Handles, dst []byte) (out []byte, failed bool, err error) {
	at := len(dst)
	if out, err = c.far.execute(c.spec.inContext(ctx), c.spec, in, h, dst); err != nil {
		return out, false, err
	}
	return out, out[at] == outcomeError, nil
}

func (c *callee) Items(ctx context.Context, it *Items) error {
	return c.far.executeItems(c.spec.inContext(ctx), c.spec, it)
}
