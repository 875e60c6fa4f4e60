package lock

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// Repair makes a lock whole whose owner died (rule 8): it takes it, waits for the
// end of the dead process, runs f, and gives it back if f returned nil; else the
// lock is poisoned. A lock that is whole is left as it is, and f is not run; one
// that is held is waited for.
func (l *Lock) Repair(ctx context.Context, f func(*OwnerDied) error) error {
	var died bool
	var dead signature
	if !l.TryLock() {
		var err error
		if died, dead, err = l.wait(ctx, true); err != nil {
			return err
		}
	}
	if !died {
		return l.Unlock()
	}
	whole := false
	defer func() { // also when f panics or ends its goroutine
		if !whole {
			l.released()
			l.giveUp(word(poisoned, 0), everybody)
		}
	}()
	if err := awaitEnd(ctx, dead); err != nil {
		whole = true
		l.released()
		// As the dead one left it, for the next repairer.
		l.giveUp(word(ownerDied|hasSleeper, dead), 1)
		return err
	}
	if err := f(&OwnerDied{PID: dead.pid()}); err != nil {
		return fmt.Errorf("the repair failed: %w (%w)", err, ErrNotRecoverable)
	}
	whole = true
	return l.Unlock()
}

// longestEnd bounds the waiting for the end of a dead process. Only one of the
// same id and, by a chance of one in a thousand, of the same generation can live
// that long; or a thread that hangs in the kernel, and such a thread does not
// touch memory.
const longestEnd = 10 * time.Second

// awaitEnd waits until nothing of the dead process runs any more: the kernel
// reports the end of one of its threads, and the others may follow some
// microseconds later.
func awaitEnd(ctx context.Context, dead signature) error {
	for deadline := time.Now().Add(longestEnd); !gone(dead) && time.Now().Before(deadline); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// gone waits a little for the end of the process that signed.
func gone(dead signature) bool {
	start, err := sys.ProcessStart(dead.pid())
	if err != nil || generation(start) != dead.generation() {
		return true // its id is free, or another's; or it lives, and gave the lock up
	}
	return sys.ProcessGone(dead.pid(), start, 10*time.Millisecond)
}
