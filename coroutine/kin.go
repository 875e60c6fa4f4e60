package coroutine

import "context"

// A taskContext is the context a coroutine is given. It says whose it is.
type taskContext struct {
	context.Context // made by context.WithCancelCause, so that contexts made from it cost no goroutine
	task            *task
}

type taskKey struct{}

// Value answers for the coroutine and leaves all else to the context it was
// started with.
func (c *taskContext) Value(key any) any {
	if key == (taskKey{}) {
		return c.task
	}
	return c.Context.Value(key)
}

// taskOf returns the coroutine that ctx comes from, or nil.
func taskOf(ctx context.Context) *task {
	if c, ok := ctx.(*taskContext); ok { // nearly always
		return c.task
	}
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

// current returns the coroutine that calls op with ctx, and panics if ctx is
// not its own.
func current(ctx context.Context, op string) *task {
	if ctx == nil {
		panic("tandem: loop: " + op + " with a nil context; use the one your coroutine was given")
	}
	t := taskOf(ctx)
	if t == nil {
		panic("tandem: loop: " + op + " outside of a loop; call it in a function run by coroutine.Run, with the context that one was given")
	}
	if t.s.current.Load() != t {
		panic("tandem: loop: " + op + " with the context of coroutine " + t.Name() + ", whose turn it is not; use the context your own coroutine was given, on its own goroutine")
	}
	t.owner.check()
	if t.unwound != nil {
		panic(unwind) // a deferred call wants to wait, but nothing will wake it
	}
	return t
}

// cause is context.Cause, but cheap for a context that has not ended.
func cause(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// kin holds a coroutine's place in the tree of who started whom. The tree
// carries cancels down, in the loop's own order, and keeps the context of a
// coroutine that has returned as long as those it started still use it.
type kin struct {
	parent   *task
	children []*task
	at       int         // index among the parent's children
	holds    int         // 1 for itself until it has ended, and 1 for each child
	unheed   func() bool // ends the watch over a context from elsewhere
}

// adopted hangs t under by. ctx is what t's context was made from.
func (t *task) adopted(by *task, ctx context.Context) {
	t.holds = 1
	if by != nil {
		t.parent = by
		t.at = len(by.children)
		by.children = append(by.children, t)
		by.holds++
		if ctx.Done() == by.ctx.Done() {
			return // a cancel comes down the tree
		}
	}
	if ctx.Done() != nil {
		t.unheed = context.AfterFunc(ctx, func() {
			// ctx may still be on its way through those below it. This call
			// returns when all below t have ended, so that the note finds them so.
			t.cancel(context.Cause(ctx))
			t.s.tell(note{t: t})
		})
	}
}

// release gives back t's own hold, and with the last one its context and its
// hold on its parent.
func (t *task) release() {
	for ; t != nil; t = t.parent {
		if t.holds--; t.holds > 0 {
			return
		}
		t.cancel(nil)
		if p := t.parent; p != nil {
			last := len(p.children) - 1
			p.children[t.at] = p.children[last]
			p.children[t.at].at = t.at
			p.children[last] = nil
			p.children = p.children[:last]
		}
	}
}

// each calls f for t and all below it that have not ended.
func (t *task) each(f func(*task)) {
	if !t.settled() {
		f(t)
	}
	for _, c := range t.children {
		c.each(f)
	}
}

// interrupt ends the waits of t and of all below it whose contexts have ended.
func (t *task) interrupt() {
	t.rouse()
	if t.ctx.Err() == nil {
		return
	}
	for _, c := range t.children {
		c.interrupt()
	}
}
