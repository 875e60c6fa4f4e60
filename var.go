package tandem

import (
	"fmt"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/wire"
)

// Var is an inherited variable: a package-level variable as a forked process
// would see it. A process starts with a copy of its parent's value; what it sets
// afterwards no other process sees, neither its parent nor its running children.
// The copy is taken at process.Start, and for a pool once, at its first start,
// so that a replaced worker sees what the first one saw.
//
// Places in this process share the variable: a documented exception to "the
// place never changes the meaning".
//
// Its methods are safe for concurrent use.
type Var[T any] struct {
	name  string
	codec *codec.Codec[T]
	state atomic.Pointer[varState[T]]
}

type varState[T any] struct {
	value   T
	encoded []byte
}

// variable is a Var without its type.
type variable interface {
	snapshot() []byte
	inherit([]byte) error
}

// NewVar makes an inherited variable with its first value. Keep it in a
// package-level variable. It panics like NewTask, and when v cannot be encoded.
func NewVar[T any](name string, v T) *Var[T] {
	pkg, where := creator()
	if err := checkName(name); err != nil {
		panic(fmt.Sprintf("tandem: NewVar(%q) at %s: %v", name, where, err))
	}
	c, err := codec.Of[T]()
	if err != nil {
		panic(fmt.Sprintf("tandem: NewVar(%q) at %s: %v", name, where, err))
	}
	x := &Var[T]{name: pkg + "." + name, codec: c}
	x.Set(v)
	registry.Lock()
	defer registry.Unlock()
	switch {
	case registry.ready:
		panic(fmt.Sprintf("tandem: NewVar(%q) at %s was called after Init; make it a package-level variable", name, where))
	case registry.vars[x.name] != nil:
		panic(fmt.Sprintf("tandem: NewVar(%q) at %s: package %s has a variable of that name already", name, where, pkg))
	case registry.vars == nil:
		registry.vars = make(map[string]variable)
	}
	registry.vars[x.name] = x
	return x
}

// Get returns the value. It is shared by all who ask: do not change what it
// refers to.
func (x *Var[T]) Get() T { return x.state.Load().value }

// Set replaces the value in this process. It is encoded now, so what v refers to
// may be changed afterwards without an effect on processes started later. It
// panics if v cannot be encoded or holds descriptors.
func (x *Var[T]) Set(v T) {
	var h Handles
	b, err := x.codec.Append(nil, &v, &h)
	if err == nil && h.Len() > 0 {
		err = fmt.Errorf("a variable cannot hold descriptors; pass them as an argument")
	}
	if err != nil {
		panic(fmt.Sprintf("tandem: variable %s: %v", x.name, err))
	}
	x.state.Store(&varState[T]{v, b})
}

func (x *Var[T]) snapshot() []byte { return x.state.Load().encoded }

func (x *Var[T]) inherit(b []byte) error {
	var v T
	if err := x.codec.Decode(b, &v, new(Handles)); err != nil {
		return fmt.Errorf("tandem: variable %s: %w", x.name, err)
	}
	x.state.Store(&varState[T]{v, b})
	return nil
}

// snapshot is the present value of every Var, encoded, for a process that is
// about to start.
func snapshot() []byte {
	var b []byte
	for name, x := range registry.vars {
		b = wire.AppendBytes(wire.AppendBytes(b, []byte(name)), x.snapshot())
	}
	return b
}

// inheritAll is the other end of snapshot.
func inheritAll(b []byte) error {
	r := wire.NewReader(b)
	for r.More() {
		name, value := string(r.Bytes()), r.Bytes()
		x := registry.vars[name]
		if r.Err() != nil || x == nil {
			return fmt.Errorf("tandem: the parent has a variable %q that this process does not have", name)
		}
		if err := x.inherit(append([]byte(nil), value...)); err != nil {
			return err
		}
	}
	return r.Err()
}
