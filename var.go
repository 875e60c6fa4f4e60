package tandem

import (
	"fmt"
	"sync"
	"sync/atomic"

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
	codec lazy[T]
	state atomic.Pointer[varState[T]]
}

// varState is a value with its encoding. What was inherited is decoded when it is
// asked for first.
type varState[T any] struct {
	encoded []byte
	value   T
	once    sync.Once
	pending bool // value is still to be decoded
	err     error
}

// variable is a Var without its type.
type variable interface {
	snapshot() []byte
	inherit([]byte)
}

// NewVar makes an inherited variable with its first value. Keep it in a
// package-level variable. It panics like NewTask, and when v cannot be encoded.
func NewVar[T any](name string, v T) *Var[T] {
	pkg, where := creator()
	if err := checkName(name); err != nil {
		panic(fmt.Sprintf("tandem: NewVar(%q) at %s: %v", name, where, err))
	}
	x := &Var[T]{name: pkg + "." + name}
	if inWorker() {
		x.state.Store(&varState[T]{value: v}) // until Init, which brings the parent's
	} else {
		if err := x.codec.compile(); err != nil {
			panic(fmt.Sprintf("tandem: NewVar(%q) at %s: %v", name, where, err))
		}
		x.Set(v)
	}
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
func (x *Var[T]) Get() T {
	s := x.state.Load()
	if s.pending {
		s.once.Do(func() { s.err = x.codec.get().Decode(s.encoded, &s.value, new(Handles)) })
		if s.err != nil { // the parent is the same program, and its bytes came whole
			panic(fmt.Sprintf("tandem: variable %s: what the parent sent: %v", x.name, s.err))
		}
	}
	return s.value
}

// Set replaces the value in this process. It is encoded now, so what v refers to
// may be changed afterwards without an effect on processes started later. It
// panics if v cannot be encoded or holds descriptors.
func (x *Var[T]) Set(v T) {
	var h Handles
	b, err := x.codec.get().Append(nil, &v, &h)
	if err == nil && h.Len() > 0 {
		err = fmt.Errorf("a variable cannot hold descriptors; pass them as an argument")
	}
	if err != nil {
		panic(fmt.Sprintf("tandem: variable %s: %v", x.name, err))
	}
	x.state.Store(&varState[T]{encoded: b, value: v})
}

func (x *Var[T]) snapshot() []byte { return x.state.Load().encoded }

func (x *Var[T]) inherit(b []byte) { x.state.Store(&varState[T]{encoded: b, pending: true}) }

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
		x.inherit(append([]byte(nil), value...))
	}
	return r.Err()
}
