package shared

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
)

// Slice is a number of Ts in memory that processes share, with a lock of its own. It
// is made by NewSlice or NewSliceOf; the zero Slice is closed. As a field of a task's
// argument or result, a *Slice becomes a handle of the same elements on the other
// side, in the same time whatever their number. It must not be copied: pass the
// pointer.
//
// Update works on the elements under the lock. View and Slice show them without it,
// for users who agree otherwise on who may write when, as those of a [Buffer] do:
// each task its own part of the elements, or the functions of sync/atomic on single
// ones, as in atomic.AddInt64(&p[i], 1). Those work between processes too. The race
// detector sees what the goroutines of one process do to the elements, as it does on
// the heap; of what another process does to them at the same time it knows nothing.
//
// Its methods are safe for concurrent use. A handle that is neither closed nor
// pinned is closed when it is collected. Errors of Update and Repair are those of
// Mutex.Lock.
type Slice[T any] struct{ pinned[slice] }

type slice struct{}

func (slice) what() (mem.Kind, string, int) { return mem.KindSlice, "Slice", sliceData }

// The elements lie behind the lock.
const (
	sliceLock = mem.HeaderSize
	sliceData = sliceLock + lock.Size
)

// NewSlice makes n zero Ts in shared memory. T must hold no pointers; the error names
// the field that does. The cost is that of NewBuffer for as many bytes.
func NewSlice[T any](n int) (*Slice[T], error) {
	schema, err := pointerFree[T]("Slice")
	if err != nil {
		return nil, err
	}
	size := sizeOf[T]()
	if n < 0 || n > (math.MaxInt-sliceData)/max(size, 1) {
		return nil, fmt.Errorf("tandem: shared.NewSlice: %d is no number of elements", n)
	}
	m, err := mem.Create(mem.KindSlice, schema, lock.Size+n*size)
	if err != nil {
		return nil, err
	}
	s := new(Slice[T])
	if err := errors.Join(lock.Init(m, sliceLock), s.make(m, n)); err != nil {
		return nil, err
	}
	return s, nil
}

// NewSliceOf makes a Slice with a copy of the elements.
func NewSliceOf[T any](elements []T) (*Slice[T], error) {
	s, err := NewSlice[T](len(elements))
	if err != nil {
		return nil, err
	}
	return s, s.View(func(p []T) error { copy(p, elements); return nil })
}

// make opens the lock, too.
func (s *Slice[T]) make(m *mem.Segment, n int) error {
	l, err := lock.Open(m, sliceLock)
	if err != nil {
		m.Release()
		return err
	}
	return s.open(m, n, l)
}

// Update runs f on the elements with the lock held, and returns its error. While f
// runs, no other process and no other goroutine is in an Update. It is the elements
// themselves that f gets, not a copy as in [Value.Update]: what f changed before it
// returned an error or panicked is changed. f must not keep the slice beyond its
// return. Close does not disturb it.
//
// Should this process be killed during f, the others get *OwnerDiedError.
func (s *Slice[T]) Update(ctx context.Context, f func(p []T) error) (err error) {
	defer runtime.KeepAlive(s) // or the collector closes it while this waits
	r, err := s.pin()
	if err != nil {
		return err
	}
	defer r.unpin()
	if !r.lock.TryLock() {
		if ctx == nil {
			return errors.New("tandem: shared.Slice: Update: the context is nil; use context.Background()")
		}
		ctx, stop := r.whileOpen(ctx)
		defer stop()
		if err := r.lock.Lock(ctx); err != nil {
			return public("Slice", err)
		}
	}
	defer func() {
		if e := r.lock.Unlock(); err == nil {
			err = public("Slice", e)
		}
	}()
	return f(elements[T](r))
}

// Repair makes the elements whole again after an *OwnerDiedError, as Mutex.Repair
// does: f changes what the dead process left.
func (s *Slice[T]) Repair(ctx context.Context, f func(p []T, died *OwnerDiedError) error) error {
	defer runtime.KeepAlive(s)
	r, err := s.pin()
	if err != nil {
		return err
	}
	defer r.unpin()
	if ctx != nil {
		open, stop := r.whileOpen(ctx)
		defer stop()
		ctx = open
	}
	return repair(ctx, "Slice", r.lock, func(died *OwnerDiedError) error { return f(elements[T](r), died) })
}

// whileOpen is a context that also ends, with lock.ErrClosed, when the handle is
// closed: the pin of who waits for the lock keeps the memory and so hides the close.
func (r *region) whileOpen(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.life, func() { cancel(lock.ErrClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// View calls f with the elements themselves, without the lock, and returns its error.
// They are there until f returns, even if the Slice is closed meanwhile; beyond that
// f must not keep the slice: to touch it then ends the program. It puts nothing in
// order, and costs two atomic operations.
func (s *Slice[T]) View(f func(p []T) error) error {
	r, err := s.pin()
	if err != nil {
		return err
	}
	defer r.unpin()
	return f(elements[T](r))
}

// Slice returns the elements themselves and pins them: they stay until Unpin, whether
// or not the Slice is closed or collected, and there must be one Unpin for each
// Slice. Where a function can do, View is safer.
func (s *Slice[T]) Slice() ([]T, error) {
	r, err := s.pin()
	if err != nil {
		return nil, err
	}
	return elements[T](r), nil
}

// elements are those of a pinned region.
func elements[T any](r *region) []T { return mem.Slice[T](r.segment.View, sliceData, r.n) }

// AppendHandles and SetHandles let a Slice travel.
func (s *Slice[T]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	return s.give(dst, h)
}

// SetHandles makes s a handle of the elements that were sent.
func (s *Slice[T]) SetHandles(src []byte, h *tandem.Handles) error {
	schema, err := pointerFree[T]("Slice")
	if err != nil {
		return err
	}
	m, n, err := s.take(src, h, schema, sizeOf[T]())
	if err != nil {
		return err
	}
	return s.make(m, n)
}
