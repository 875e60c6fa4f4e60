package coroutine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem"
)

// Gather runs each of fs as a coroutine, waits until all have ended and
// returns what each of them returned, in the order of fs.
//
// The first that fails cancels the others, with its error as the cause, and
// that error is returned, after all have ended. Errors of others that are not
// that cause are joined to it, in the order of fs. When ctx ends, all are
// cancelled, and Gather returns when they have ended.
func Gather[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) ([]T, error) {
	me := current(ctx, "Gather")
	group, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var first error
	tasks := make([]*Task[T], len(fs))
	for i, f := range fs {
		tasks[i] = spawn(me, group, "", f)
	}
	for _, t := range tasks {
		t.onEnd = func(err error) {
			if err == nil || first != nil {
				return
			}
			first = err
			cancel(err)
			for _, t := range tasks {
				t.interrupt()
			}
		}
	}
	shielded := context.WithoutCancel(ctx) // the functions, not these waits, are cancelled
	outs := make([]T, len(fs))
	var others []error
	for i, t := range tasks {
		err := t.join(shielded)
		if err == nil {
			err = t.Err()
		}
		outs[i] = t.out
		if err != nil && !errors.Is(err, first) {
			others = append(others, err)
		}
	}
	if len(others) == 0 {
		return outs, first
	}
	return outs, errors.Join(append([]error{first}, others...)...)
}

// WithTimeout calls f, in the same coroutine, with a context that ends after
// d with an error that is [tandem.ErrTimeout], and returns what f returns. So
// a wait in f that takes too long fails with that error, while one that is
// cancelled from elsewhere fails with the cause it was cancelled with. It does
// not stop f: an f that ignores its context takes the time it takes.
// Coroutines started with f's context are cancelled when f returns.
func WithTimeout(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	current(ctx, "WithTimeout")
	ctx, cancel := context.WithTimeoutCause(ctx, d, &timeoutError{d})
	defer cancel()
	return f(ctx)
}

// A timeoutError tells which of several nested timeouts has passed.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("tandem: loop: not done after %v; give WithTimeout more time or do less in it", e.after)
}

func (e *timeoutError) Unwrap() error { return tandem.ErrTimeout }
func (e *timeoutError) Timeout() bool { return true }
