package tandem

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry is a place that runs a call on another place, and again if that may help:
//
//	patient := tandem.Retry{Place: pool, Attempts: 5, Backoff: 50 * time.Millisecond}
//	png, err := render.On(patient).Call(ctx, pdf)
//
// A call that has not run, because of ErrQueueFull, is tried again whatever its task.
// What may have run is tried again only if the task is Idempotent, and then if its worker
// died, as another may live: not for ErrPoison and ErrMemory, which would end the same
// way, nor for limits of time, panics and the task's own errors. For these there is
// Again. (A process.Pool by itself runs an idempotent task again at once, on up to
// Pool.PoisonAfter workers, and all of that is one attempt here.)
//
// The outcome is that of the last attempt. Calls of Go keep their order in the first one.
// Items of Map go one by one. It is a value, and safe for concurrent use.
type Retry struct {
	Place Runner // nil Inline

	// Attempts is how often a call runs at most, 0 three times.
	Attempts int

	// Backoff is the pause before the second attempt, 0 ten milliseconds, negative none.
	// It doubles with each further one, up to a minute. Up to half of it is left out by
	// chance, so that calls which failed together do not come back together. A pause
	// that would outlast the context's deadline is not begun.
	Backoff time.Duration

	// Again, if not nil, says instead whether the error of an attempt is worth another. It
	// must be quick, and safe for concurrent use. It is not asked for a task that is
	// not Idempotent and may have run, nor after the last attempt.
	Again func(err error) bool
}

const (
	retryAttempts = 3
	retryBackoff  = 10 * time.Millisecond
	retryLongest  = time.Minute
)

// Width is that of the place.
func (r Retry) Width() int { return r.place().Width() }

func (r Retry) place() Runner {
	if r.Place == nil {
		return Inline
	}
	return r.Place
}

// refusal is the ticket of a call whose first attempt was not admitted.
type refusal struct{ err error }

// Admit has the place accept the first attempt, if it can.
func (r Retry) Admit(ctx context.Context, j *Job) (ticket any, err error) {
	a, ok := r.place().(Admitter)
	if !ok || r.Attempts < 0 { // Run refuses it
		return nil, nil
	}
	if ticket, err = a.Admit(ctx, j); err != nil {
		return refusal{err}, nil
	}
	return ticket, nil
}

// Run runs j until it succeeds, another attempt is of no use, or there were enough. If
// ctx ends between two attempts, the error wraps its cause and the last attempt's.
func (r Retry) Run(ctx context.Context, j *Job) error {
	if r.Attempts < 0 {
		return fmt.Errorf("tandem: Retry.Attempts is negative (%d); zero means %d", r.Attempts, retryAttempts)
	}
	attempts, pause := r.Attempts, r.Backoff
	if attempts == 0 {
		attempts = retryAttempts
	}
	if pause == 0 {
		pause = retryBackoff
	}
	for {
		var err error
		if t, ok := j.ticket.(refusal); ok {
			err = t.err
		} else {
			err = r.place().Run(ctx, j)
		}
		if attempts--; err == nil || attempts == 0 || ctx.Err() != nil || !r.again(j.spec, err) {
			return err
		}
		j.ticket = nil // it was for one run
		if pause > 0 {
			if in := pause - rand.N(pause/2+1); !rest(ctx, in) {
				if ctx.Err() != nil {
					return fmt.Errorf("%w; the attempt before: %w", context.Cause(ctx), err)
				}
				return err
			}
			pause = min(2*pause, max(retryLongest, r.Backoff))
		}
	}
}

// again reports whether an attempt that ended with err is worth another.
func (r Retry) again(s Spec, err error) bool {
	unstarted := errors.Is(err, ErrQueueFull)
	if !s.Idempotent && !unstarted {
		return false
	}
	if r.Again != nil {
		return r.Again(err)
	}
	var crash *CrashError
	return unstarted || errors.As(err, &crash) && !errors.Is(err, ErrPoison) && !errors.Is(err, ErrMemory)
}

// rest waits for d, unless ctx ends first or is known to.
func rest(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
