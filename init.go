package tandem

import (
	"context"
	"errors"
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
		Execute:      executeCall,
		ExecuteItems: executeItems,
		Outcome:      func(dst []byte, err error) []byte { return appendError(append(dst, outcomeError), err) },
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
		Ready: func() bool {
			registry.Lock()
			defer registry.Unlock()
			return registry.ready
		},
	}
}

func executeCall(ctx context.Context, c *wire.CallInfo, in []byte, h *codec.Handles, dst []byte) (out []byte, failed bool, err error) {
	at := len(dst)
	out, err = Execute(ctx, specOf(c), in, h, dst)
	if err == nil && len(out) <= at {
		err = errors.New("tandem: a task without an outcome") // cannot happen: Execute appends at least one byte
	}
	return out, err == nil && out[at] == outcomeError, err
}

func executeItems(ctx context.Context, c *wire.CallInfo, it *Items) error {
	return ExecuteItems(ctx, specOf(c), it)
}

// specOf is the Spec of a call that arrived: what its task needs to know of it.
func specOf(c *wire.CallInfo) Spec {
	return Spec{Name: c.Name, Schema: c.Schema, Meta: c.Meta, Limits: Limits{Output: c.Output}}
}
