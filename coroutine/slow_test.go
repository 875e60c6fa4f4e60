package coroutine_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

const slow = 50 * time.Millisecond

// spin keeps its turn until it has been reported.
func spin(reported *atomic.Bool) (line int) {
	_, _, line, _ = runtime.Caller(0)
	for !reported.Load() {
	}
	return line + 1 // or the next
}

func TestSlowTurnIsReported(t *testing.T) {
	var reported atomic.Bool
	calls := 0
	block := make(chan int)
	for _, tc := range []struct {
		name  string
		where string
		turn  func(ctx context.Context)
	}{
		{"busy", "coroutine_test.spin", func(context.Context) { spin(&reported) }},
		{"blocked", "coroutine_test.TestSlowTurnIsReported.func", func(context.Context) { <-block }},
		{"after the loop was idle", "coroutine_test.spin", func(ctx context.Context) {
			coroutine.Sleep(ctx, 3*slow)
			spin(&reported)
		}},
		{"in a generator", "coroutine_test.TestSlowTurnIsReported.func", func(context.Context) {
			c := coroutine.New(func(*yielder, int) error { <-block; return nil })
			c.Next()
		}},
		{"below a function of the package", "coroutine_test.spin", func(ctx context.Context) {
			coroutine.WithTimeout(ctx, time.Hour, func(context.Context) error { spin(&reported); return nil })
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeak(t)
			reported.Store(false)
			calls = 0
			var got coroutine.SlowTurn
			loop := coroutine.Loop{Slow: slow, OnSlow: func(r coroutine.SlowTurn) {
				calls++
				if r.Name != "culprit" {
					return // the machine was busy with something else for so long
				}
				got = r
				reported.Store(true)
				select {
				case block <- 1:
				default:
				}
			}}
			err := loop.Run(t.Context(), func(ctx context.Context) error {
				idle := coroutine.Go(ctx, "idle", func(ctx context.Context) (none, error) {
					return none{}, coroutine.Sleep(ctx, time.Hour)
				})
				_, err := coroutine.Go(ctx, "culprit", func(ctx context.Context) (none, error) { tc.turn(ctx); return none{}, nil }).Wait(ctx)
				idle.Cancel()
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != "culprit" || filepath.Base(got.File) != "slow_test.go" || got.Line == 0 || got.For < slow {
				t.Errorf("reported %q at %s:%d after %v", got.Name, got.File, got.Line, got.For)
			}
			wantText(t, "Func", got.Func, tc.where)
			wantText(t, "Stack", got.Stack, tc.where)
			if s := loop.Stats(); s.Slow != uint64(calls) || len(s.Recent) != calls || !slices.Contains(s.Recent, got) {
				t.Errorf("Stats %d slow, %d kept; want the %d reported", s.Slow, len(s.Recent), calls)
			}
		})
	}
}

// The line is that of the place where the turn hangs.
func TestSlowTurnLine(t *testing.T) {
	noLeak(t)
	var reported atomic.Bool
	var got coroutine.SlowTurn
	loop := coroutine.Loop{Slow: slow, OnSlow: func(r coroutine.SlowTurn) { got = r; reported.Store(true) }}
	line := 0
	err := loop.Run(t.Context(), func(context.Context) error { line = spin(&reported); return nil })
	if err != nil || got.Line != line && got.Line != line+1 {
		t.Errorf("%v, reported line %d, want %d or the next", err, got.Line, line)
	}
}

// Without the path of the standard library, as under -trimpath, the place is
// the coroutine's own function.
func TestSlowTurnTrimmed(t *testing.T) {
	noLeak(t)
	dir := *coroutine.StdDir
	*coroutine.StdDir = ""
	defer func() { *coroutine.StdDir = dir }()
	var reported atomic.Bool
	var got coroutine.SlowTurn
	loop := coroutine.Loop{Slow: slow, OnSlow: func(r coroutine.SlowTurn) { got = r; reported.Store(true) }}
	err := loop.Run(t.Context(), func(ctx context.Context) error {
		_, err := coroutine.Go(ctx, "", func(context.Context) (int, error) { return spin(&reported), nil }).Wait(ctx)
		return err
	})
	if err != nil || !strings.HasPrefix(got.Func, "github.com/tandem-go/tandem/coroutine_test.TestSlowTurnTrimmed.") {
		t.Errorf("%v, reported %q", err, got.Func)
	}
}

func TestWatchTurnedOff(t *testing.T) {
	noLeak(t)
	before := runtime.NumGoroutine()
	loop := coroutine.Loop{Slow: -1}
	err := loop.Run(t.Context(), func(context.Context) error {
		if n := runtime.NumGoroutine(); n != before+1 {
			return errors.New("there is a goroutine beside main")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Two loops that hang at once are told apart.
func TestSlowTurnOfTwoLoops(t *testing.T) {
	noLeak(t)
	both := make(chan coroutine.SlowTurn, 2)
	var reported [2]atomic.Bool
	ended := make(chan error)
	turns := []func(){func() { hangA(&reported[0]) }, func() { hangB(&reported[1]) }}
	for i, turn := range turns {
		go func() {
			loop := coroutine.Loop{Slow: slow, OnSlow: func(r coroutine.SlowTurn) { both <- r; reported[i].Store(true) }}
			ended <- loop.Run(t.Context(), func(context.Context) error { turn(); return nil })
		}()
	}
	places := (<-both).Func + " " + (<-both).Func
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Error(err)
	}
	wantText(t, "places", places, "hangA")
	wantText(t, "places", places, "hangB")
}

func hangA(reported *atomic.Bool) {
	for !reported.Load() {
		runtime.Gosched()
	}
}

func hangB(reported *atomic.Bool) {
	for !reported.Load() {
		runtime.Gosched()
	}
}
