package shared

import (
	"context"
	"errors"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
)

// Value is one T in memory that processes share, with a lock of its own: a guarded
// value, at which nobody gets without the lock. It is made by NewValue; the zero Value is closed. Its methods are safe for concurrent
// use by all processes. It must not be copied: pass the pointer. As a field of a
// task's argument or result it becomes a handle of the same value on the other
// side.
//
// Its errors are those of Mutex.Lock.
type Value[T any] struct {
	opened grip[opened[T]]
}

// opened is what an open Value points to.
type opened[T any] struct {
	lock *lock.Lock // also keeps the memory of data alive
	data *T
}

// The value lies behind its lock.
const (
	valueLock = mem.HeaderSize
	valueData = valueLock + lock.Size
)

// NewValue puts v into shared memory. T must hold no pointers; the error names
// the field that does. It costs some system calls and at least a page of memory.
func NewValue[T any](v T) (*Value[T], error) {
	schema, err := pointerFree[T]("Value")
	if err != nil {
		return nil, err
	}
	s, err := mem.Create(mem.KindValue, schema, lock.Size+sizeOf[T]())
	if err != nil {
		return nil, err
	}
	*mem.At[T](s.View, valueData) = v
	c := new(Value[T])
	if err := errors.Join(lock.Init(s, valueLock), c.open(s)); err != nil {
		return nil, err
	}
	return c, nil
}

func (v *Value[T]) open(s *mem.Segment) error {
	l, err := lock.Open(s, valueLock)
	if err != nil {
		s.Release()
		return err
	}
	return v.opened.open("Value", &opened[T]{lock: l, data: mem.At[T](s.View, valueData)}, s)
}

func (o *opened[T]) segment() *mem.Segment { return o.lock.Segment() }

// Load returns the value.
func (v *Value[T]) Load(ctx context.Context) (t T, err error) {
	o, err := v.lock(ctx)
	if err != nil {
		return t, err
	}
	got := *o.data
	if err := o.unlock(); err != nil {
		return t, err
	}
	return got, nil
}

// Store replaces the value.
func (v *Value[T]) Store(ctx context.Context, t T) error {
	o, err := v.lock(ctx)
	if err != nil {
		return err
	}
	*o.data = t
	return o.unlock()
}

// Update lets f change a copy of the value, and puts the copy in its place if f
// returns nil. While f runs, no other process and no other goroutine gets at the
// value. If f returns an error, which Update returns, or panics, the value is as
// it was. f must not keep the pointer beyond its return.
//
// Should this process be killed during f, the others get *OwnerDiedError.
func (v *Value[T]) Update(ctx context.Context, f func(t *T) error) error {
	o, err := v.lock(ctx)
	if err != nil {
		return err
	}
	locked := true
	defer func() { // when f panics or ends its goroutine
		if locked {
			o.unlock()
		}
	}()
	t := *o.data
	if err := f(&t); err != nil {
		return err
	}
	*o.data = t
	locked = false
	return o.unlock()
}

// Repair makes the value whole again after an *OwnerDiedError, as Mutex.Repair
// does: f changes a copy of what the dead process left, which takes its place if
// f returns nil.
func (v *Value[T]) Repair(ctx context.Context, f func(t *T, died *OwnerDiedError) error) error {
	o := v.opened.Load()
	if o == nil {
		return closed("Value")
	}
	return repair(ctx, "Value", o.lock, func(died *OwnerDiedError) error {
		t := *o.data
		if err := f(&t, died); err != nil {
			return err
		}
		*o.data = t
		return nil
	})
}

// Close gives this handle back, as Mutex.Close does.
func (v *Value[T]) Close() error { return v.opened.close((*opened[T]).segment) }

func (v *Value[T]) lock(ctx context.Context) (*opened[T], error) {
	o := v.opened.Load()
	if o == nil {
		return nil, closed("Value")
	}
	if o.lock.TryLock() {
		return o, nil
	}
	if ctx == nil {
		return nil, errors.New("tandem: shared.Value: the context is nil; use context.Background()")
	}
	if err := o.lock.Lock(ctx); err != nil {
		return nil, public("Value", err)
	}
	return o, nil
}

// unlock fails if the value was closed meanwhile: what was read or written is
// then the tomb.
func (o *opened[T]) unlock() error { return public("Value", o.lock.Unlock()) }

// AppendHandles and SetHandles let a Value travel.
func (v *Value[T]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	return v.opened.lend("Value", dst, h, (*opened[T]).segment)
}

// SetHandles makes v a handle of the value that was sent.
func (v *Value[T]) SetHandles(src []byte, h *tandem.Handles) error {
	schema, err := pointerFree[T]("Value")
	if err != nil {
		return err
	}
	s, err := takeSegment(src, h, mem.KindValue, schema)
	if err != nil {
		return err
	}
	if s.Len() < valueData+sizeOf[T]() {
		s.Release()
		return errors.New("tandem: shared.Value: the segment that came is too small for its type")
	}
	return v.open(s)
}
