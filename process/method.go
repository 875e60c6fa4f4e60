package process

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"sync/atomic"

	"github.com/tandem-go/tandem"
)

// resident is the value that lives in this process, if it is a service's. It is set
// once, before the first call.
var resident atomic.Pointer[any]

// Constructor makes the value of a Service, in the service's process. Make it with
// NewConstructor and keep it in a package-level variable.
type Constructor[In, S any] struct {
	task     *tandem.Task[In, struct{}]
	farewell *tandem.Task[struct{}, struct{}]
}

// NewConstructor makes a constructor, as tandem.NewTask makes a task, and panics as
// that does. S may be any type: it never leaves its process. If it is an io.Closer,
// it is closed when the service ends in good order.
func NewConstructor[In, S any](name string, f func(ctx context.Context, in In) (S, error)) *Constructor[In, S] {
	if f == nil {
		panic(fmt.Sprintf("tandem: NewConstructor(%q): the function is nil", name))
	}
	return &Constructor[In, S]{
		task: tandem.NewTask(name, func(ctx context.Context, in In) (none struct{}, err error) {
			v, err := f(ctx, in)
			if err == nil {
				var boxed any = v
				home(ctx).Store(&boxed)
			}
			return none, err
		}),
		farewell: tandem.NewTask(name+" (close)", func(ctx context.Context, _ struct{}) (none struct{}, err error) {
			if v := home(ctx).Load(); v != nil {
				if c, ok := (*v).(io.Closer); ok {
					err = c.Close()
				}
			}
			return none, err
		}),
	}
}

// With binds the constructor to its argument, for Service.New. The argument is
// encoded now; it cannot hold descriptors.
func (c *Constructor[In, S]) With(in In) Bound[S] {
	return Bound[S]{make: c.task.With(in), close: c.farewell.With(struct{}{})}
}

// Bound is a constructor with its argument: how the value of a Service is made, each
// time that its process starts.
type Bound[S any] struct {
	make, close tandem.Bound
}

// Method is a task that gets the value of the service it is called on. Make it with
// NewMethod and keep it in a package-level variable.
type Method[S, In, Out any] struct {
	task *tandem.Task[In, Out]
}

// methods are the full names of all methods, with the type of their value: what may
// be called from other processes. It is written before Init.
var methods = make(map[string]reflect.Type)

// NewMethod makes a method, as tandem.NewTask makes a task, and panics as that does.
//
// A panic in f is returned to the caller as *PanicError, and the value stays as it
// was at that moment. If it is of no more use then, end the process: os.Exit(1).
func NewMethod[S, In, Out any](name string, f func(ctx context.Context, s S, in In) (Out, error)) *Method[S, In, Out] {
	if f == nil {
		panic(fmt.Sprintf("tandem: NewMethod(%q): the function is nil", name))
	}
	m := &Method[S, In, Out]{tandem.NewTask(name, func(ctx context.Context, in In) (out Out, err error) {
		if v := home(ctx).Load(); v != nil {
			if s, ok := (*v).(S); ok {
				return f(ctx, s, in)
			}
		}
		return out, fmt.Errorf("tandem: method %s: there is no %v in this process", name, reflect.TypeFor[S]())
	})}
	methods[m.task.FullName()] = reflect.TypeFor[S]()
	return m
}

// Idempotent declares that running the method twice does no harm, though the value
// may be a new one the second time; see tandem.Task.Idempotent. It is part of the
// variable's declaration and returns m.
func (m *Method[S, In, Out]) Idempotent() *Method[S, In, Out] {
	m.task.Idempotent()
	return m
}

// On joins the method and a service: a *Service[S], or a *Map for methods of its
// Table. Call, Go, All and Map of what it returns are those of every task.
func (m *Method[S, In, Out]) On(s Host[S]) tandem.Placed[In, Out] {
	return m.task.On(s.place())
}

// Host is where a value of type S lives: a *Service[S], or what embeds one.
type Host[S any] interface {
	place() tandem.Runner
	lives(S)
}
