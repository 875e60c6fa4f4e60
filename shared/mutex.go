package shared

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
)

// Mutex is a lock that works between processes. It is made by NewMutex; the zero
// Mutex is closed. Its methods are safe for concurrent use. It must not be
// copied: pass the pointer. As a field of a task's argument or result it becomes
// a handle of the same lock on the other side.
//
// Nobody starves: whoever is awake may take a free lock, but when somebody has waited
// for a millisecond, the lock goes to who has waited longest, over all processes, and
// nobody overtakes. In a process who came first is served first.
type Mutex struct {
	lock grip[lock.Lock]
}

// NewMutex makes a lock. It costs some system calls and a page of memory.
func NewMutex() (*Mutex, error) {
	s, err := mem.Create(mem.KindMutex, 0, lock.Size)
	if err != nil {
		return nil, err
	}
	m := new(Mutex)
	if err := errors.Join(lock.Init(s, mem.HeaderSize), m.open(s)); err != nil {
		return nil, err
	}
	return m, nil
}

// open makes m a handle of the lock in s, and takes the reference to s.
func (m *Mutex) open(s *mem.Segment) error {
	l, err := lock.Open(s, mem.HeaderSize)
	if err != nil {
		s.Release()
		return err
	}
	return m.lock.open("Mutex", l, s)
}

// Lock takes the lock and waits as long as another has it. It returns nil with
// the lock held, or an error without it: the cause of ctx, *OwnerDiedError,
// ErrNotRecoverable, or an error that wraps tandem.ErrClosed; with TANDEMDEBUG=locks
// also *DeadlockError. A free lock is taken without a look at ctx. Everybody who waits
// is told of the death of an owner, so that it does not depend on one of them that
// somebody repairs; see Repair.
func (m *Mutex) Lock(ctx context.Context) error {
	l := m.lock.Load()
	if l != nil && l.TryLock() {
		return nil
	}
	return m.lockSlow(ctx, l)
}

func (m *Mutex) lockSlow(ctx context.Context, l *lock.Lock) error {
	if l == nil {
		return closed("Mutex")
	}
	if ctx == nil {
		return errors.New("tandem: shared.Mutex: Lock: the context is nil; use context.Background()")
	}
	return public("Mutex", l.Lock(ctx))
}

// TryLock takes the lock if it is free, and reports whether it did. It does not
// wait, and it takes neither a lock whose owner died nor one that is the turn of
// somebody who has waited for long.
func (m *Mutex) TryLock() bool {
	l := m.lock.Load()
	return l != nil && l.TryLock()
}

// Unlock gives the lock back. It panics if this process does not hold it, as
// after a Close while it was held. As with sync.Mutex, another goroutine may
// unlock than the one that locked.
func (m *Mutex) Unlock() {
	l := m.lock.Load()
	if l == nil {
		notUnlocked(lock.ErrClosed)
	}
	if err := l.Unlock(); err != nil {
		notUnlocked(err)
	}
}

// notUnlocked panics. It is a function of its own so that Unlock is short.
//
//go:noinline
func notUnlocked(err error) {
	panic(fmt.Sprintf("tandem: shared.Mutex: Unlock of a lock that is %v; each Unlock belongs to one Lock that returned nil", err))
}

// With runs f with the lock held, and returns Lock's error or f's. The lock is
// given back also when f panics or ends its goroutine.
func (m *Mutex) With(ctx context.Context, f func() error) error {
	if err := m.Lock(ctx); err != nil {
		return err
	}
	defer m.Unlock()
	return f()
}

// Repair makes the lock whole again after an *OwnerDiedError: it waits until the
// dead process is gone, runs f with the lock held, and gives the lock back. Of
// all processes that call Repair for one death, one runs its function; the others
// wait for it and return nil, as for a lock that was whole all the time. If f
// returns an error, or panics, the lock is poisoned, and Repair's error wraps
// f's and ErrNotRecoverable. When ctx ends before f runs, the lock stays as it
// is, for another Repair. After Repair the lock is not held.
func (m *Mutex) Repair(ctx context.Context, f func(died *OwnerDiedError) error) error {
	return repair(ctx, "Mutex", m.lock.Load(), f)
}

// repair is Repair for everything that has a lock.
func repair(ctx context.Context, subject string, l *lock.Lock, f func(*OwnerDiedError) error) error {
	if l == nil {
		return closed(subject)
	}
	if ctx == nil {
		return fmt.Errorf("tandem: shared.%s: Repair: the context is nil; use context.Background()", subject)
	}
	err := l.Repair(ctx, func(d *lock.OwnerDied) error { return f(&OwnerDiedError{PID: d.PID}) })
	if err != lock.ErrNotRecoverable && errors.Is(err, lock.ErrNotRecoverable) {
		return fmt.Errorf("tandem: shared.%s: %w", subject, repairFailed{err})
	}
	return public(subject, err)
}

// repairFailed is ErrNotRecoverable together with its reason.
type repairFailed struct{ why error }

func (e repairFailed) Error() string   { return e.why.Error() }
func (e repairFailed) Unwrap() []error { return []error{ErrNotRecoverable, e.why} }

// Close gives this handle back; other handles of the lock, here and in other
// processes, stay. Whoever waits here gets an error that wraps tandem.ErrClosed,
// if this was the last handle of this process. If this process held the lock
// then, others get *OwnerDiedError. Close may be called again.
func (m *Mutex) Close() error { return m.lock.close((*lock.Lock).Segment) }

// AppendHandles and SetHandles let a Mutex travel.
func (m *Mutex) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	return m.lock.lend("Mutex", dst, h, (*lock.Lock).Segment)
}

// SetHandles makes m a handle of the lock that was sent.
func (m *Mutex) SetHandles(src []byte, h *tandem.Handles) error {
	s, err := takeSegment(src, h, mem.KindMutex, 0)
	if err != nil {
		return err
	}
	return m.open(s)
}

// appendSegment lends a segment's descriptor to h and appends its index.
func appendSegment(dst []byte, h *tandem.Handles, s *mem.Segment) ([]byte, error) {
	i, err := h.Add(s.File())
	if err != nil {
		return dst, err
	}
	return append(dst, byte(i)), nil // codec.MaxHandles is far below 256
}

// takeSegment opens the segment whose descriptor's index is src.
func takeSegment(src []byte, h *tandem.Handles, kind mem.Kind, schema uint64) (*mem.Segment, error) {
	if len(src) != 1 {
		return nil, fmt.Errorf("tandem: shared: a handle of %d bytes, want 1", len(src))
	}
	f, err := h.Take(int(src[0]))
	if err != nil {
		return nil, err
	}
	return mem.Open(f, kind, schema)
}
