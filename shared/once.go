package shared

import (
	"context"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// Once is something to be done by one of all processes, once. It is made by NewOnce;
// the zero Once is closed. Its methods are safe for concurrent use by all processes.
// It must not be copied: pass the pointer. As a field of a task's argument or result
// it becomes a handle of the same Once on the other side.
//
// What the function wrote is seen after every Do that returned nil.
type Once struct {
	handle[once, *once]
}

// NewOnce makes something that is not done yet. It costs some system calls and 12
// KiB of memory.
func NewOnce() (*Once, error) {
	o := new(Once)
	if err := o.make(); err != nil {
		return nil, err
	}
	return o, nil
}

// Do runs f if it was not done yet, and returns nil once it is done: by f, or by
// another's function that it waited for. After that it costs some nanoseconds.
//
// It is done when a function has returned nil. One that returns an error, which
// its Do returns, or panics, or whose process dies or closes its last handle, has
// not done it: the next who came, or comes, runs his. So f must be able to begin
// where another stopped at any line, and it must not call Do of the same Once.
//
// Other errors are the cause of ctx, which ends the waiting for others and not f,
// and one that wraps tandem.ErrClosed.
func (o *Once) Do(ctx context.Context, f func() error) error {
	if v := o.at.Load(); v != nil && v.known.Load() {
		return nil
	}
	v, err := o.enter(ctx)
	if err != nil {
		return err
	}
	mine := !v.done() && v.take()
	if mine || v.done() {
		err = v.Leave()
	} else {
		err = v.AwaitShares(ctx, 0, v.thing(), 1, func() (bool, error) {
			if !v.done() {
				mine, _ = v.granted()
			}
			return mine || v.done(), nil
		}, func() {})
	}
	if err != nil {
		return o.error(err)
	}
	if mine {
		return o.run(v, f)
	}
	v.known.Store(true)
	return nil
}

func (o *Once) run(v *once, f func() error) (err error) {
	whole := false
	v.took()
	defer func() { // also when f panics or ends its goroutine
		v.gives()
		e := v.Finish(func() {
			if whole {
				v.SetWord(onceDone, 1)
				v.WakeAll()
			}
			v.release()
		})
		if err == nil {
			err = o.error(e)
		}
	}()
	err = f()
	whole = err == nil
	return err
}

// once is a Once as one process sees it: a semaphore with one permit, to do it, and
// a word that says that it is done.
type once struct {
	semaphore
	known atomic.Bool // done, as this process has seen; a doubt costs a look into the monitor
}

const onceDone = 0

func (*once) kind() (mem.Kind, string) { return mem.KindOnce, "Once" }

func (v *once) begin(m *monitor.Monitor) error {
	v.Monitor, v.permits = m, 1
	return nil
}

func (v *once) done() bool { return v.Word(onceDone) != 0 }
