package main

import (
	"errors"

	"github.com/tandem-go/tandem"
)

// decision is what the queue is to do with a job.
type decision int

const (
	finished decision = iota
	retry             // and count it
	later             // try again, and do not count it: it has not run
	giveUp
)

func (d decision) String() string {
	return [...]string{"finished", "retry", "later", "give up"}[d]
}

// decide is the table of docs/errors.md. It is for tasks that may run twice.
func decide(err error) decision {
	var crash *tandem.CrashError
	var panicked *tandem.PanicError
	switch {
	case err == nil:
		return finished
	case is(err, tandem.ErrQueueFull, tandem.ErrClosed, tandem.ErrPoolBroken):
		return later
	case errors.As(err, &crash) && crash.Collateral:
		return later // another task of its worker broke a limit
	case is(err, tandem.ErrPoison, tandem.ErrTimeout, tandem.ErrCPU, tandem.ErrMemory, tandem.ErrTooLarge):
		return giveUp // the same input does the same again
	case is(err, tandem.ErrNotInit, tandem.ErrMalformed, errors.ErrUnsupported), errors.As(err, &panicked):
		return giveUp // the program is wrong
	case errors.Is(err, errEmpty):
		return giveUp // the task's own error: you know it
	}
	return retry // a crash, until it is poison; the end of the queue's context; results that cannot be kept
}

func is(err error, any ...error) bool {
	for _, target := range any {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
