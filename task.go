package tandem

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tandem-go/tandem/internal/codec"
)

// This file is where types vanish and where they return. Above it everything is
// In and Out, below it everything is a name and bytes:
//
//	Placed.Call → Runner.Run → Job.AppendInput ══ border ══ Execute → your function
//	(Out, error) ←──────────── Job.SetOutput  ══ border ══ outcome bytes

// Task is a function that can run anywhere. Make it with NewTask and keep it in
// a package-level variable. Its methods are safe for concurrent use.
type Task[In, Out any] struct {
	def *definition
	fn  func(context.Context, In) (Out, error)
	in  lazy[In]
	out lazy[Out]

	calls  sync.Pool // of *call[In, Out], for Call
	frames sync.Pool // of *frame[In, Out], for execute
}

// NewTask makes a task and registers it under the import path of its caller and
// name, which is its identity in every process of this program. It panics on
// what only the programmer can mend: called after Init (make it a package-level
// variable), a name used twice, a nil function, and an In or Out that cannot
// travel, whose field it names.
//
// The context that f gets ends when its call is cancelled or runs out of time.
// A panic in f is returned to the caller as *PanicError.
func NewTask[In, Out any](name string, f func(ctx context.Context, in In) (Out, error)) *Task[In, Out] {
	if f == nil {
		panic(fmt.Sprintf("tandem: NewTask(%q): the function is nil", name))
	}
	t := &Task[In, Out]{fn: f}
	if !inWorker() { // there the program has been through this
		if err := t.in.compile(); err != nil {
			panic(fmt.Sprintf("tandem: NewTask(%q): argument: %v", name, err))
		}
		if err := t.out.compile(); err != nil {
			panic(fmt.Sprintf("tandem: NewTask(%q): result: %v", name, err))
		}
	}
	t.def = register(name, t)
	return t
}

func (t *Task[In, Out]) schema() uint64 {
	return t.in.get().Schema()*0x9e3779b97f4a7c15 ^ t.out.get().Schema()
}

// Name is the name given to NewTask.
func (t *Task[In, Out]) Name() string { return t.def.short }

// FullName is the import path of the package that made the task, a dot, and its
// name: what errors, events and the wire use.
func (t *Task[In, Out]) FullName() string { return t.def.name }

// Idempotent declares that running the task twice does no harm. Its calls run
// again when a worker died while it ran them through no fault of a limit. It is
// part of the variable's declaration and returns t.
func (t *Task[In, Out]) Idempotent() *Task[In, Out] {
	t.def.idempotent = true
	return t
}

// On joins the task and a place. A nil r is Inline.
func (t *Task[In, Out]) On(r Runner) Placed[In, Out] {
	if r == nil {
		r = Inline
	}
	return Placed[In, Out]{task: t, runner: r}
}

// With binds the task to an argument, for a hook such as process.Pool.Setup.
// The argument is encoded now, so a later change of it does not show; what
// cannot be encoded is an error of the hook's first run.
func (t *Task[In, Out]) With(in In) Bound {
	b := Bound{spec: Spec{Name: t.def.name, id: t.def.id, Schema: t.def.schema()}, bound: true}
	var h Handles
	b.input, b.err = t.in.get().Append(nil, &in, &h)
	if b.err == nil && h.Len() > 0 {
		b.err = fmt.Errorf("tandem: %s: a bound argument cannot hold descriptors: %w", t.def.name, errors.ErrUnsupported)
	}
	return b
}

// Bound is a task with its argument: a call to be made later, somewhere else.
// The zero Bound is no call.
type Bound struct {
	spec  Spec
	input []byte
	err   error
	bound bool
}

// IsZero reports whether b is no call.
func (b Bound) IsZero() bool { return !b.bound }

// Encoded returns the call as a runner ships it, or why it cannot be shipped.
func (b Bound) Encoded() (s Spec, input []byte, err error) { return b.spec, b.input, b.err }

// Placed is a task on a place. It is a value: copy it, keep it, use it from many
// goroutines. The zero Placed answers every call with an error.
type Placed[In, Out any] struct {
	task   *Task[In, Out]
	runner Runner
	limits Limits
	window int
}

// Limit returns p with limits for each of its calls. Zero fields are the
// place's.
func (p Placed[In, Out]) Limit(l Limits) Placed[In, Out] {
	p.limits = l
	return p
}

// Call runs the task and waits for its outcome. ctx owns the work: its deadline,
// its end and its Meta reach the task everywhere, its other values only on a
// place in this process.
func (p Placed[In, Out]) Call(ctx context.Context, in In) (Out, error) {
	if err := p.check(ctx); err != nil {
		var zero Out
		return zero, err
	}
	c, _ := p.task.calls.Get().(*call[In, Out])
	if c == nil {
		c = new(call[In, Out])
	}
	c.task, c.in, c.spec, c.erased = p.task, in, p.spec(ctx), c
	out, err := c.result(p.runner.Run(ctx, &c.Job))
	*c = call[In, Out]{} // nothing is kept of it, by Runner's contract
	p.task.calls.Put(c)
	return out, err
}

// Prepare makes the job of a call without running it, for places that hand out
// handles of their own, as process.Start does. outcome returns what Call would,
// given the error that the job was settled with; it is to be called once.
func (p Placed[In, Out]) Prepare(ctx context.Context, in In) (j *Job, outcome func(err error) (Out, error), err error) {
	if err := p.check(ctx); err != nil {
		return nil, nil, err
	}
	c := p.job(ctx, in)
	return &c.Job, c.result, nil
}

func (p Placed[In, Out]) job(ctx context.Context, in In) *call[In, Out] {
	return newCall(p.task, p.spec(ctx), in)
}

func (p Placed[In, Out]) spec(ctx context.Context) Spec {
	return Spec{
		Name: p.task.def.name, id: p.task.def.id, Schema: p.task.def.schema(), Idempotent: p.task.def.idempotent,
		Limits: p.limits, Meta: MetaOf(ctx),
	}
}

// check is where the programmer's mistakes end: a nil context, a Placed that On
// did not make.
func (p Placed[In, Out]) check(ctx context.Context) error {
	if p.task == nil {
		return errors.New("tandem: the zero Placed was used; make one with task.On(place)")
	}
	if ctx == nil {
		return fmt.Errorf("tandem: %s: the context is nil; use context.Background()", p.task.def.name)
	}
	return nil
}

// call is a Job with its types. One allocation holds all of it.
type call[In, Out any] struct {
	Job
	task *Task[In, Out]
	in   In
	out  Out
	dest *Out // where the value goes instead of out: into a chunk
}

func newCall[In, Out any](t *Task[In, Out], s Spec, in In) *call[In, Out] {
	c := &call[In, Out]{task: t, in: in}
	c.spec, c.erased = s, c
	return c
}

// put settles the call with a value.
func (c *call[In, Out]) put(out Out) {
	if c.dest != nil {
		*c.dest = out
		return
	}
	c.out = out
}

// result is the outcome of a call whose Run returned err: never both a value and
// an error.
func (c *call[In, Out]) result(err error) (Out, error) {
	if err != nil {
		var zero Out
		return zero, err
	}
	return c.out, nil
}

func (c *call[In, Out]) size() (int, bool) { return c.task.in.get().Size(&c.in) }

func (c *call[In, Out]) appendInput(dst []byte, h *Handles) ([]byte, error) {
	dst, err := c.task.in.get().Append(dst, &c.in, h)
	if err != nil {
		return dst, fmt.Errorf("tandem: %s: argument: %w", c.spec.Name, err)
	}
	return dst, nil
}

func (c *call[In, Out]) setOutput(src []byte, h *Handles) error {
	kind, body, err := splitOutcome(src)
	if err == nil {
		switch kind {
		case outcomeError:
			var failure error
			if failure, err = decodeError(body); err == nil {
				return failure
			}
		case outcomeValue:
			out := &c.out
			if c.dest != nil {
				out = c.dest
			}
			if err = c.task.out.get().Decode(body, out, h); err == nil {
				return nil
			}
		}
	}
	return fmt.Errorf("tandem: %s: %w: %w", c.spec.Name, ErrMalformed, err)
}

func (c *call[In, Out]) invoke(ctx context.Context) error {
	in := c.in
	if roundTrip {
		if err := copyThrough(c.task.in.get(), &c.in, &in); err != nil {
			return fmt.Errorf("tandem: %s: argument: %w", c.spec.Name, err)
		}
	}
	out, err := protect(ctx, c.task.fn, in)
	if err == nil && roundTrip {
		var copied Out
		if err = copyThrough(c.task.out.get(), &out, &copied); err != nil {
			err = fmt.Errorf("tandem: %s: result: %w", c.spec.Name, err)
		}
		out = copied
	}
	if err == nil && c.spec.Limits.Output > 0 {
		// Inline and goroutine places keep this limit too: it is about meaning.
		err = c.checkOutput(&out)
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx) // the first cause wins over what the task made of it
		}
		return portable(err)
	}
	c.put(out)
	return nil
}

func (c *call[In, Out]) checkOutput(out *Out) error {
	var h Handles
	b, err := c.task.out.get().Append(nil, out, &h)
	if err != nil {
		return fmt.Errorf("tandem: %s: result: %w", c.spec.Name, err)
	}
	return c.spec.tooLarge(len(b))
}

// tooLarge is the error of a result of n bytes that Limits.Output forbids.
func (s Spec) tooLarge(n int) error {
	if s.Limits.Output <= 0 || int64(n) <= s.Limits.Output {
		return nil
	}
	return fmt.Errorf("tandem: %s: result of %d bytes is over Limits.Output of %d: %w", s.Name, n, s.Limits.Output, ErrTooLarge)
}

// copyThrough passes a value through its codec as a process border would.
func copyThrough[T any](c *codec.Codec[T], from, to *T) error {
	var h Handles
	b, err := c.Append(nil, from, &h)
	if err != nil {
		return err
	}
	var far Handles
	defer far.Close()
	if err := far.Duplicate(&h); err != nil {
		return err
	}
	return c.Decode(b, to, &far)
}

// execute is the far side of a call: decode, run, append the outcome.
func (t *Task[In, Out]) execute(ctx context.Context, s Spec, input []byte, h *Handles, dst []byte) ([]byte, error) {
	f, _ := t.frames.Get().(*frame[In, Out])
	if f == nil {
		f = new(frame[In, Out])
	}
	defer t.frames.Put(f)
	defer func() { *f = frame[In, Out]{} }()
	err := t.in.get().Decode(input, &f.in, h)
	h.Close() // what the argument did not take; h carries the result's from here on
	if err != nil {
		return dst, fmt.Errorf("tandem: %s: argument: %w", t.def.name, err)
	}
	start := len(dst)
	f.out, err = protect(ctx, t.fn, f.in)
	if err == nil {
		dst, err = t.out.get().Append(append(dst, outcomeValue), &f.out, h)
		if err == nil {
			err = s.tooLarge(len(dst) - start - 1 + h.Aside())
		} else {
			err = fmt.Errorf("tandem: %s: result: %w", t.def.name, err)
		}
	}
	if err != nil {
		if h != nil {
			*h = Handles{} // what a result lent before it failed
		}
		dst = appendError(append(dst[:start], outcomeError), err)
	}
	return dst, nil
}

// relay is execute for a call that runs on r.
func (t *Task[In, Out]) relay(ctx context.Context, r Runner, s Spec, input []byte, h *Handles, dst []byte) ([]byte, error) {
	var in In
	err := t.in.get().Decode(input, &in, h)
	h.Close() // what the argument did not take; h carries the result's from here on
	if err != nil {
		return dst, fmt.Errorf("tandem: %s: argument: %w", t.def.name, err)
	}
	out, err := t.On(r).Limit(s.Limits).Call(ctx, in)
	start := len(dst)
	if err == nil {
		if dst, err = t.out.get().Append(append(dst, outcomeValue), &out, h); err == nil {
			return dst, nil
		}
		err = fmt.Errorf("tandem: %s: result: %w", t.def.name, err)
	}
	if h != nil {
		*h = Handles{} // what a result lent before it failed
	}
	return AppendFailure(dst[:start], err), nil
}

// frame is where the values of one call lie on the far side. They need a place in
// memory for the codec, and would be allocated for each call.
type frame[In, Out any] struct {
	in  In
	out Out
}

// protect runs f and turns a panic or Goexit into an error. Goexit still ends
// the goroutine, so its error is seen only where the caller prepared for it.
func protect[In, Out any](ctx context.Context, f func(context.Context, In) (Out, error), in In) (out Out, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return f(ctx, in)
}
