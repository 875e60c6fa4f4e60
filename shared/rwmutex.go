package shared

import (
	"context"
	"fmt"
)

// RWMutex is a lock that many readers have at once, or one writer. It is made by
// NewRWMutex; the zero RWMutex is closed. Its methods are safe for concurrent use by
// all processes. It must not be copied: pass the pointer. As a field of a task's
// argument or result it becomes a handle of the same lock on the other side.
//
// A reader that dies has changed nothing: its share is free, within a tenth of a
// second for who waits. A writer that dies leaves what the lock protects half
// changed: everybody gets *OwnerDiedError until a Repair, as with a Mutex.
//
// Nobody starves. While a writer waits, new readers wait too; when it gives the lock
// back, all readers who wait then go before the next writer. Writers of one process
// go in the order of their coming, and processes take turns.
//
// The lock belongs to a process and not to a goroutine. It cannot be taken twice: a
// reader who takes a second share can wait for a writer who waits for the first.
//
// It pays where readers stay inside for microseconds and more: taking a share costs
// more than taking a Mutex.
type RWMutex struct {
	handle[rwmutex, *rwmutex]
}

// NewRWMutex makes a lock. It costs some system calls and 12 KiB of memory.
func NewRWMutex() (*RWMutex, error) {
	m := new(RWMutex)
	if err := m.make(); err != nil {
		return nil, err
	}
	return m, nil
}

// Lock takes the lock for writing, and waits as long as somebody has it. It returns
// nil with the lock held, or an error without it, as Mutex.Lock does. A free lock is
// taken without a look at ctx.
func (m *RWMutex) Lock(ctx context.Context) error { return m.take(ctx, writers) }

// RLock takes a share for reading, and waits as long as a writer has the lock or
// waits for it. Its errors are those of Lock.
func (m *RWMutex) RLock(ctx context.Context) error { return m.take(ctx, readers) }

// TryLock takes the lock for writing if it is free, and reports whether it did.
func (m *RWMutex) TryLock() bool { return m.try(writers) }

// TryRLock takes a share for reading if no writer has the lock or waits for it, and
// reports whether it did.
func (m *RWMutex) TryRLock() bool { return m.try(readers) }

// Unlock ends a Lock. It panics if this process does not have the lock for writing,
// as after a Close while it had.
func (m *RWMutex) Unlock() { m.release("Unlock", writers) }

// RUnlock ends an RLock. It panics if this process has no share.
func (m *RWMutex) RUnlock() { m.release("RUnlock", readers) }

// With runs f with the lock held for writing, and returns Lock's error or f's. The
// lock is given back also when f panics or ends its goroutine.
func (m *RWMutex) With(ctx context.Context, f func() error) error {
	if err := m.Lock(ctx); err != nil {
		return err
	}
	defer m.Unlock()
	return f()
}

// RWith is With for a reader.
func (m *RWMutex) RWith(ctx context.Context, f func() error) error {
	if err := m.RLock(ctx); err != nil {
		return err
	}
	defer m.RUnlock()
	return f()
}

func (m *RWMutex) take(ctx context.Context, kind int) error {
	v, err := m.enter(ctx)
	if err != nil {
		return err
	}
	took, err := v.take(kind)
	if took || err != nil {
		err = v.quit(err)
	} else {
		err = v.AwaitShares(ctx, kind, v.thing(), shares(kind), func() (bool, error) { return v.granted(kind) }, func() {})
	}
	if err == nil {
		v.took(kind)
	}
	return m.error(err)
}

func (m *RWMutex) try(kind int) bool {
	v, err := m.enter(context.Background())
	if err != nil {
		return false
	}
	took, _ := v.take(kind)
	if v.Leave() != nil || !took {
		return false
	}
	v.took(kind)
	return true
}

func (m *RWMutex) release(method string, kind int) {
	v, err := m.enter(context.Background())
	if err == nil {
		v.gives(kind)
		err = v.release(kind)
		v.Leave()
	}
	if misused(err) {
		panic(misuse("RWMutex", method, err))
	}
}

// Repair makes the lock whole again after an *OwnerDiedError: it runs f, and no
// other process or goroutine has the lock meanwhile. Of all that call Repair for one
// death, one runs its function; the others wait for it and return nil, as for a lock
// that is whole. If f returns an error, or panics, the lock is poisoned, and Repair's
// error wraps f's and ErrNotRecoverable. After Repair the lock is not held.
func (m *RWMutex) Repair(ctx context.Context, f func(died *OwnerDiedError) error) error {
	v, err := m.enter(ctx)
	if err != nil {
		return err
	}
	over, died, err := v.takeOver()
	if over {
		err = v.quit(err)
	} else {
		err = v.Await(ctx, writers, func() (bool, error) {
			over, died, err = v.takeOver()
			return over, err
		}, func() {})
	}
	if err != nil || died == nil {
		return m.error(err)
	}
	v.took(writers)
	whole := false
	defer func() { // also when f panics or ends its goroutine
		if !whole {
			v.gives(writers)
			v.repaired(false)
		}
	}()
	if err := f(died); err != nil {
		return fmt.Errorf("tandem: shared.RWMutex: %w", repairFailed{fmt.Errorf("the repair failed: %w", err)})
	}
	whole = true
	v.gives(writers)
	return m.error(v.repaired(true))
}
