package shared

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem"
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

// DeadlockError says that the caller waits for a lock that he would never get: whoever
// holds it waits, in the end, for a lock that the caller holds. It comes from programs
// that run with TANDEMDEBUG=locks in their environment only. It keeps its identity
// across processes.
type DeadlockError struct {
	// PID is the process of the caller, HolderPID the one that holds the lock.
	PID, HolderPID int
	// At and HolderAt are the source lines where they wait; of the holder's, the
	// last 32 bytes.
	At, HolderAt string
}

// Error says what to do.
func (e *DeadlockError) Error() string {
	return fmt.Sprintf("tandem: shared: deadlock: process %d waits at %s for a lock of process %d, which waits at %s, in the end for the first; take locks in the same order everywhere",
		e.PID, e.At, e.HolderPID, e.HolderAt)
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
	var dead *lock.Deadlock
	switch {
	case err == lock.ErrClosed:
		return closed(subject)
	case err == lock.ErrNotRecoverable:
		return ErrNotRecoverable
	case errors.As(err, &died):
		return &OwnerDiedError{PID: died.PID}
	case errors.As(err, &dead):
		return &DeadlockError{PID: dead.PID, HolderPID: dead.HolderPID, At: dead.At, HolderAt: dead.HolderAt}
	case err == monitor.ErrFull || err == monitor.ErrNoContext:
		return fmt.Errorf("tandem: shared.%s: %w", subject, err)
	}
	return err // the cause of a context, or what a repair's function returned
}

func closed(subject string) error {
	return fmt.Errorf("tandem: shared.%s: not open: it was closed, or not made by shared.New%s: %w", subject, subject, tandem.ErrClosed)
}
