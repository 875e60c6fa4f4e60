package shared

import (
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
)

// Number is what an Atomic can hold.
type Number = mem.Number

// Atomic is a number in memory that processes share, for single steps without a lock:
// nobody waits, and no death leaves it half changed. It is made by NewAtomic; the
// zero Atomic is closed. Its methods are safe for concurrent use and never block; each
// costs what it costs in package sync/atomic, a few nanoseconds where nobody else
// uses the number. What belongs together in several numbers is a [Value].
//
// It must not be copied: pass the pointer. As a field of a task's argument or result
// it becomes a handle of the same number on the other side. For many numbers there is
// [Slice].
//
// As in package sync/atomic, what was written before a step is seen by whoever sees
// the step; for memory on the heap that means goroutines of one process.
//
// The methods panic if it is not open. What comes at the same time as the Close of
// the last handle of this process may be lost.
type Atomic[T Number] struct {
	at grip[number[T]]
}

// number is what an open Atomic points to.
type number[T Number] struct {
	p     *T
	in    *mem.Segment // also keeps *p alive
	order *order
}

func (n *number[T]) segment() *mem.Segment { return n.in }

// order is one for all handles of a process. In race builds every step goes through
// it: what it puts in order, the race detector sees.
type order struct{ steps atomic.Int64 }

func (n *number[T]) step() {
	if lock.Shadowed {
		n.in.End()
		n.order.steps.Add(1)
		n.in.Begin()
	}
}

// Bury and Detach have nothing to do: a step into the tomb is lost.
func (*order) Bury(mem.View)   {}
func (*order) Detach(mem.View) {}

// NewAtomic puts v into shared memory. It costs some system calls and a page of
// memory.
func NewAtomic[T Number](v T) (*Atomic[T], error) {
	schema, err := pointerFree[T]("Atomic")
	if err != nil {
		return nil, err
	}
	s, err := mem.Create(mem.KindAtomic, schema, sizeOf[T]())
	if err != nil {
		return nil, err
	}
	*mem.At[T](s.View, mem.HeaderSize) = v
	a := new(Atomic[T])
	if err := a.open(s); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Atomic[T]) open(s *mem.Segment) error {
	o, err := s.User(mem.HeaderSize, func() (mem.User, error) { return new(order), nil })
	if err != nil {
		s.Release()
		return err
	}
	return a.at.open("Atomic", &number[T]{mem.At[T](s.View, mem.HeaderSize), s, o.(*order)}, s)
}

// Load returns the number.
func (a *Atomic[T]) Load() T {
	n := a.begin()
	v := mem.AtomicLoad(n.p)
	n.end()
	return v
}

// Store sets the number.
func (a *Atomic[T]) Store(v T) {
	n := a.begin()
	mem.AtomicStore(n.p, v)
	n.end()
}

// Add adds d and returns the sum. Floating-point numbers are tried until nobody came
// between.
func (a *Atomic[T]) Add(d T) (sum T) {
	n := a.begin()
	sum = mem.AtomicAdd(n.p, d)
	n.end()
	return sum
}

// Swap sets the number and returns what it was.
func (a *Atomic[T]) Swap(v T) (old T) {
	n := a.begin()
	old = mem.AtomicSwap(n.p, v)
	n.end()
	return old
}

// CompareAndSwap sets the number to v if it is old, and reports whether it did.
// Floating-point numbers are compared by their bits.
func (a *Atomic[T]) CompareAndSwap(old, v T) bool {
	n := a.begin()
	ok := mem.AtomicCompareAndSwap(n.p, old, v)
	n.end()
	return ok
}

func (a *Atomic[T]) begin() *number[T] {
	n := a.at.Load()
	if n == nil {
		panic(notOpen)
	}
	n.step()
	return n
}

func (n *number[T]) end() {
	n.step()
	runtime.KeepAlive(n)
}

const notOpen = "tandem: shared.Atomic: used when it was not open; make it with NewAtomic, and close it after its last use"

// Close gives this handle back; other handles of the number, here and in other
// processes, stay. It may be called again.
func (a *Atomic[T]) Close() error { return a.at.close((*number[T]).segment) }

// AppendHandles and SetHandles let an Atomic travel.
func (a *Atomic[T]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	return a.at.lend("Atomic", dst, h, (*number[T]).segment)
}

// SetHandles makes a a handle of the number that was sent.
func (a *Atomic[T]) SetHandles(src []byte, h *tandem.Handles) error {
	schema, err := pointerFree[T]("Atomic")
	if err != nil {
		return err
	}
	s, err := takeSegment(src, h, mem.KindAtomic, schema)
	if err != nil {
		return err
	}
	return a.open(s)
}
