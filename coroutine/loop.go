package coroutine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Loop runs coroutines in turns on one thread. The zero value is ready. Its
// fields are fixed while Run runs. It can run again when Run has returned, but
// not twice at once; do not copy it after the first use.
type Loop struct {
	// Slow is how long one turn may last before it is reported. Zero means
	// 100 ms; a negative value turns the watch off. A report comes when the turn
	// has lasted for Slow, at the latest a quarter of it later.
	Slow time.Duration

	// OnSlow, if set, is called with each report, once for each slow turn, on a
	// goroutine of its own while the turn still lasts. The loop does not wait
	// for it, but Run does. The reports are in Stats either way; the package
	// prints nothing.
	OnSlow func(SlowTurn)

	running atomic.Bool
	turns   atomic.Uint64
	live    atomic.Int64

	mu     sync.Mutex // guards what follows
	slow   uint64
	recent []SlowTurn
}

// Stats is what a loop has done since it was made, over all its runs.
type Stats struct {
	Turns  uint64     // turns given
	Live   int        // coroutines that have not ended, main among them
	Slow   uint64     // turns reported as slow
	Recent []SlowTurn // the last of those reports, at most 16, oldest first
}

// errNested and errBusy are what Run refuses with.
var (
	errNested = errors.New("tandem: loop: Run was called inside a coroutine and would stop its loop; use Go, or Blocking(ctx, …) around Run")
	errBusy   = errors.New("tandem: loop: it runs already; use a Loop of its own for each Run")

	// errMainReturned is the cause with which the coroutines that are left over
	// are cancelled.
	errMainReturned = fmt.Errorf("tandem: loop: main has returned: %w", context.Canceled)
)

// Run runs main on a [Loop] with the defaults. See [Loop.Run].
func Run(ctx context.Context, main func(ctx context.Context) error) error {
	return new(Loop).Run(ctx, main)
}

// Run runs main as the first coroutine of the loop and blocks until it and all
// others have ended. The calling goroutine is locked to its thread meanwhile,
// and the coroutines run on that thread.
//
// When ctx ends, main is cancelled, and with it everything started below it.
// When main returns, the coroutines that are left are cancelled and awaited,
// and so are functions still running in [Blocking].
//
// Run returns main's error. Joined to it are the errors of coroutines that
// failed and that nobody asked for their error, unless it was the cause they
// were cancelled with. If all were asleep for good, the [*AsleepError] is among
// them.
func (l *Loop) Run(ctx context.Context, main func(ctx context.Context) error) error {
	switch {
	case ctx == nil:
		return errors.New("tandem: loop: Run with a nil context; use context.Background()")
	case main == nil:
		return errors.New("tandem: loop: Run with a nil function")
	}
	if t := taskOf(ctx); t != nil && t.s.current.Load() == t {
		return errNested
	}
	if !l.running.CompareAndSwap(false, true) {
		return errBusy
	}
	defer l.running.Store(false)

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := newSched(l, ctx)
	s.watch = startWatchdog(s)
	s.main = new(task)
	s.main.start(s, nil, ctx, "main", main, main)
	s.turns()
	s.helpers.Wait()
	s.watch.end()
	return s.outcome()
}

// Stats returns the figures so far. It may be called from any goroutine.
func (l *Loop) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		Turns:  l.turns.Load(),
		Live:   int(l.live.Load()),
		Slow:   l.slow,
		Recent: append([]SlowTurn(nil), l.recent...),
	}
}

// report records one slow turn.
func (l *Loop) report(r SlowTurn) {
	l.mu.Lock()
	l.slow++
	l.recent = append(l.recent, r)
	if len(l.recent) > 16 {
		l.recent = append(l.recent[:0:0], l.recent[1:]...)
	}
	l.mu.Unlock()
	if l.OnSlow != nil {
		l.OnSlow(r)
	}
}
