package coroutine

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem"
)

// A Task is a coroutine of a [Loop] and the outcome it will have. It is a
// [tandem.Waiter]. Done, Err, Cancel and Name may be called from any
// goroutine, also when the loop has ended.
type Task[T any] struct {
	task
	out T
}

var _ tandem.Waiter = (*Task[int])(nil)

// Go starts f as a coroutine and returns at once; f gets its first turn after
// all who wait for theirs. An empty name means "Coroutine-1 (fetch)", made of
// a number and the function's name.
//
// ctx must be that of the calling coroutine or come from it. It owns the work:
// when it ends, f's context does. When the caller merely returns, f goes on
// until main returns. f's own context ends when f and all that it started have
// ended. A coroutine cancelled before its first turn never begins. Starting and
// ending one costs about two microseconds.
func Go[T any](ctx context.Context, name string, f func(ctx context.Context) (T, error)) *Task[T] {
	return spawn(current(ctx, "Go"), ctx, name, f)
}

func spawn[T any](by *task, ctx context.Context, name string, f func(context.Context) (T, error)) *Task[T] {
	if f == nil {
		panic("tandem: loop: a coroutine of a nil function; give Go and Gather functions")
	}
	t := new(Task[T])
	t.start(by.s, by, ctx, name, f, func(ctx context.Context) (err error) {
		t.out, err = f(ctx)
		return err
	})
	return t
}

// Wait waits until the coroutine has ended and returns its outcome, any number
// of times the same one. If ctx ends first, Wait returns context.Cause(ctx)
// and the coroutine goes on. When it has ended, Wait returns at once and any
// ctx will do; before that, ctx must be that of the calling coroutine, which
// may be one of another loop. Other goroutines use Done.
func (t *Task[T]) Wait(ctx context.Context) (T, error) {
	if err := t.join(ctx); err != nil {
		var none T
		return none, err
	}
	return t.out, t.Err()
}

// task is the part of a Task that does not depend on its type, and the state
// of the coroutine in its loop.
type task struct {
	s      *sched
	id     int     // 0 is main
	label  string  // its name, "" for the default,
	entry  uintptr // which is made of the function
	ctx    taskContext
	cancel context.CancelCauseFunc
	body   func(context.Context) error

	next  func() (struct{}, bool) // nil before the first turn
	stop  func()
	yield func(struct{}) bool
	owner twin

	kin
	after   *task // the next in the queue of the ready
	parked  bool  // waits; wake makes it ready
	gen     uint64
	wait    wait
	sleep   sleep
	waiters []*task // who wait for this one

	err     error
	done    chan struct{}
	unwound error       // why it is being unwound by force
	onEnd   func(error) // called between turns, when it has settled
}

// start makes t ready to run body, which is f for the default name. by is the
// coroutine that starts it, nil for main.
func (t *task) start(s *sched, by *task, ctx context.Context, name string, f any, body func(context.Context) error) {
	t.s, t.label, t.body = s, name, body
	t.entry = reflect.ValueOf(f).Pointer()
	t.done = make(chan struct{})
	t.ctx.task = t
	t.ctx.Context, t.cancel = context.WithCancelCause(ctx)
	t.adopted(by, ctx)
	if s.ending != nil {
		t.cancel(s.ending)
	}
	t.id = s.started
	s.started++
	s.live++
	s.loop.live.Add(1)
	s.ready.push(t)
}

// resume gives t its turn. It is true if t has yielded and false if it ended.
func (t *task) resume() (suspended bool) {
	defer absorb()
	if t.next == nil {
		if err := cause(&t.ctx); err != nil {
			t.err = err
			return false
		}
		t.next, t.stop = iter.Pull(t.run)
	}
	_, suspended = t.next()
	return suspended
}

// run is the coroutine, from its first turn to its last.
func (t *task) run(yield func(struct{}) bool) {
	t.yield = yield
	t.owner.bind()
	t.s.twin.enter()
	frame(func() error { return t.body(&t.ctx) }, func(err error, _ bool) {
		t.s.twin.leave()
		if err == nil {
			err = t.unwound
		}
		t.err = err
	})
}

// swap gives the turn away until resume. It unwinds t if the loop gives it up.
func (t *task) swap() {
	t.owner.check()
	t.s.twin.leave()
	ok := t.yield(struct{}{})
	t.s.twin.enter()
	if !ok {
		panic(unwind)
	}
}

// Name is the name given to Go, or the default.
func (t *task) Name() string {
	if t.label != "" {
		return t.label
	}
	name := runtime.FuncForPC(t.entry).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	_, name, _ = strings.Cut(name, ".")
	return fmt.Sprintf("Coroutine-%d (%s)", t.id, name)
}

// Done is closed when the coroutine has ended.
func (t *task) Done() <-chan struct{} { return t.done }

// Err returns the error that the coroutine ended with, and nil before. An
// error returned by Err or Wait is not returned by Run.
func (t *task) Err() error {
	if !t.settled() || t.err == nil {
		return nil
	}
	t.s.observe(t)
	return t.err
}

// Cancel ends the context of the coroutine, and with it those of the
// coroutines it has started. What it waits for returns [context.Canceled]. It
// does not wait; a coroutine may take the time it needs, or ignore it.
func (t *task) Cancel() {
	t.cancel(nil)
	t.s.post(note{t: t})
}

func (t *task) settled() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// base lets Await know a Task of whatever type.
func (t *task) base() *task { return t }
