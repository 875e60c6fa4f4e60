package shared

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/monitor"
)

// ErrNotRecoverable: the owner of a lock died, and a repair of what it protects
// failed. It is final. It keeps its identity across processes.
var ErrNotRecoverable = registered("shared.ErrNotRecoverable",
	errors.New("tandem: shared: the lock is poisoned: its owner died and the repair failed; make a new one"))

// ErrBrokenBarrier: a party of a Barrier will not come, so nobody passes until a
// Reset. It keeps its identity across processes.
var ErrBrokenBarrier = registered("shared.ErrBrokenBarrier",
	errors.New("tandem: shared.Barrier: broken: a party died, gave up or called Abort; Reset makes it whole"))

// ErrSendClosed: a Put into a Queue whose CloseSend was called, by any process. It
// keeps its identity across processes.
var ErrSendClosed = registered("shared.ErrSendClosed",
	errors.New("tandem: shared.Queue: CloseSend was called, and nothing can be put any more"))

// ErrItemsLost: of the items for which Join waits, some were taken by processes that
// have ended, and nobody else can report them done. It keeps its identity across
// processes.
var ErrItemsLost = registered("shared.ErrItemsLost",
	errors.New("tandem: shared.Queue: a process ended with items that it had taken and not reported done; put them again, and call TaskDone for each"))

// OwnerDiedError says that a process died while it held a lock, or closed it
// while it held it. The caller does not hold the lock; see Repair. It keeps its
// identity across processes.
type OwnerDiedError struct {
	// PID is the process that died.
	PID int
}

// Error says what to do.
func (e *OwnerDiedError) Error() string {
	return fmt.Sprintf("tandem: shared: process %d died while it held the lock; what it protects may be half changed: call Repair", e.PID)
}

// DeadlockError says that the caller waits for what he would never get: those who have
// it wait, in the end, for what the caller holds. It comes from programs that run with
// TANDEMDEBUG=locks in their environment only, after more than a second. The caller does
// not have what he waited for, and still has what he held. It keeps its identity across
// processes.
type DeadlockError struct {
	// Circle are those who wait: the first is the caller, each waits for what the next
	// one has, and the last for what the caller has. Who waits for himself is alone.
	Circle []Waiter
}

// Waiter is one who waits in a deadlock.
type Waiter struct {
	PID int
	// Task is the name of the task that waits, "" for who waits outside of a worker's.
	Task string
	// At is the source line where it waits; of a long one the end.
	At string
}

// String says who waits where.
func (w Waiter) String() string {
	task := ""
	if w.Task != "" {
		task = " in task " + w.Task
	}
	return fmt.Sprintf("process %d%s at %s", w.PID, task, w.At)
}

// Error says what to do.
func (e *DeadlockError) Error() string {
	var list []string
	for _, w := range e.Circle {
		list = append(list, w.String())
	}
	return fmt.Sprintf("tandem: shared: deadlock: each waits for what the next one has, and the last for what the first has: %s; take locks in the same order everywhere",
		strings.Join(list, ", "))
}

// registered lets an error keep its identity across processes. Registration has to
// be over before tandem.Init, so it is the one thing that this package does while it
// is initialised.
func registered(name string, err error) error {
	tandem.RegisterError(name, err)
	return err
}

var _ = func() bool {
	tandem.RegisterErrorType[*OwnerDiedError]()
	tandem.RegisterErrorType[*DeadlockError]()
	return true
}()

// public turns an error of package lock into one of this package. The subject is
// what the lock belongs to: "Mutex".
func public(subject string, err error) error {
	if err == nil {
		return nil
	}
	var died *lock.OwnerDied
	var dead *deadlock.Error
	switch {
	case err == lock.ErrClosed:
		return closed(subject)
	case err == lock.ErrNotRecoverable:
		return ErrNotRecoverable
	case errors.As(err, &died):
		return &OwnerDiedError{PID: died.PID}
	case errors.As(err, &dead):
		e := new(DeadlockError)
		for _, m := range dead.Circle {
			e.Circle = append(e.Circle, Waiter(m))
		}
		return e
	case err == monitor.ErrFull || err == monitor.ErrNoContext:
		return fmt.Errorf("tandem: shared.%s: %w", subject, err)
	}
	return err // the cause of a context, or what a repair's function returned
}

func closed(subject string) error {
	return fmt.Errorf("tandem: shared.%s: not open: it was closed, or not made by shared.New%s: %w", subject, subject, tandem.ErrClosed)
}
