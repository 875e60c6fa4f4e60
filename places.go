package tandem

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/sys"
)

// CPUs is the number of processors this program may use: the smaller of its
// affinity mask and its cgroup quota rounded up, at least 1. It is the default
// width of every pool. (runtime.GOMAXPROCS is not used: it counts a quota below
// two as two, and a program may set it for other reasons.)
func CPUs() int { return sys.UsableCPUs() }

// Inline runs a task in the goroutine that calls it. It is also what a nil
// Runner means. Go starts a goroutine for it; its Width is 1.
var Inline Runner = inline{}

type inline struct{}

func (inline) Width() int { return 1 }

func (inline) Run(ctx context.Context, j *Job) error {
	if err := InProcess(ctx, j.spec, "Inline"); err != nil {
		return err
	}
	return j.Invoke(ctx)
}

// Goroutines runs each task in a goroutine of its own, at most n at once; 0
// means CPUs(). A negative n panics. A call waits for a free place until its
// context ends; then the task never starts. A task that runs cannot be killed:
// the call returns when its function does.
func Goroutines(n int) Runner {
	if n < 0 {
		panic(fmt.Sprintf("tandem: Goroutines(%d): the number of goroutines cannot be negative", n))
	}
	if n == 0 {
		n = CPUs()
	}
	return &goroutines{room: make(chan struct{}, n)}
}

type goroutines struct{ room chan struct{} }

func (g *goroutines) Width() int { return cap(g.room) }

func (g *goroutines) Run(ctx context.Context, j *Job) error {
	if err := InProcess(ctx, j.spec, "Goroutines"); err != nil {
		return err
	}
	select {
	case g.room <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// A goroutine of its own, although the caller only waits: what a task does
	// to its goroutine (Goexit, LockOSThread, labels) must not reach the caller.
	settled := make(chan error, 1)
	go func() {
		err := error(&PanicError{Value: goexit})
		defer func() { <-g.room; settled <- err }()
		err = j.Invoke(ctx)
	}()
	return <-settled
}

// InProcess is what a Runner that runs tasks in this process checks before
// anything else: the context, and that the job has no limit that only a process
// can keep. The place's name is for the error's text.
func InProcess(ctx context.Context, s Spec, place string) error {
	if err := s.Limits.Check(); err != nil {
		return err
	}
	var field, why string
	switch {
	case s.Limits.Time > 0:
		field, why = "Time", "a goroutine cannot be stopped; use a process.Pool, or a deadline in the context, which asks"
	case s.Limits.CPU > 0:
		field, why = "CPU", "nobody counts a goroutine's processor time, nor can it be stopped; use a process.Pool"
	case s.Limits.Memory > 0:
		field, why = "Memory", "goroutines share one heap; use a process.Pool"
	default:
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	}
	return fmt.Errorf("tandem: %s: Limits.%s cannot be kept by %s: %s: %w", s.Name, field, place, why, errors.ErrUnsupported)
}
