//go:build linux

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// behaviour is one sentence about a type, and a play that shows it. A play has two
// sides. It runs with one of them here and the other in a place, and the other way
// round, and that in every place there is.
type behaviour struct {
	of, says string
	play     func(s *stage)
}

// stage is what a play has: fresh things, all in c, and its two sides.
type stage struct {
	*testing.T
	c          cast
	one, other side
	apart      bool // the sides are processes
}

// side begins a script, which is a list of moves, on what is in c.
type side func(c cast) *tandem.Future[int]

// moves are what a script is made of. One after the other is made until one fails; the
// script returns what the last returned.
var moves = map[string]func(ctx context.Context, c cast) (int, error){}

func move(name string, f func(ctx context.Context, c cast) (int, error)) bool {
	moves[name] = f
	return true
}

var (
	_ = scene("follow the script", func(ctx context.Context, c cast) (n int, err error) {
		for _, name := range c.Script {
			f := moves[name]
			if f == nil {
				return 0, fmt.Errorf("no move %q", name)
			}
			if n, err = f(ctx, c); err != nil {
				return n, fmt.Errorf("%s: %w", name, err)
			}
		}
		return n, nil
	})
	_ = move("say so", func(ctx context.Context, c cast) (int, error) { return 0, c.Ready.Set() })
	_ = move("stay", func(ctx context.Context, c cast) (int, error) { return 0, c.Event.Wait(ctx) })
	_ = move("count", func(ctx context.Context, c cast) (int, error) { return int(c.Num.Add(1)), nil })
)

// begins has a side begin a script.
func (s *stage) begins(by side, script ...string) *tandem.Future[int] {
	c := s.c
	c.Role, c.Script = "follow the script", script
	return by(c)
}

// ends waits for what began.
func (s *stage) ends(f *tandem.Future[int]) int {
	s.Helper()
	return waitAll(s.T, []*tandem.Future[int]{f})[0]
}

// does is both.
func (s *stage) does(by side, script ...string) int {
	s.Helper()
	return s.ends(s.begins(by, script...))
}

// fails waits for what began and has to end with an error: this one, or one with
// this text.
func (s *stage) fails(f *tandem.Future[int], want any) {
	s.Helper()
	_, err := f.Wait(soon(s))
	switch want := want.(type) {
	case error:
		if !errors.Is(err, want) {
			s.Errorf("error %v, want %v", err, want)
		}
	case string:
		if err == nil || !strings.Contains(err.Error(), want) {
			s.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// is checks what somebody saw.
func (s *stage) is(what string, got, want int) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %d, want %d", what, got, want)
	}
}

// wait waits until n wait for x.
func (s *stage) wait(x interface{ Waiting() int }, n int) {
	s.Helper()
	until(s.T, fmt.Sprint(n, " wait"), func() bool { return x.Waiting() == n })
}

// ready waits until a script says so.
func (s *stage) ready() {
	s.Helper()
	if err := s.c.Ready.Wait(soon(s)); err != nil {
		s.Fatal(err)
	}
	s.c.Ready.Clear()
}

// inVain calls what can only end with its context, which must be its error.
func inVain(ctx context.Context, f func(ctx context.Context) error) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Millisecond, errCause)
	defer cancel()
	if err := f(ctx); err != errCause {
		return 0, fmt.Errorf("waited in vain and got %v", err)
	}
	return 0, nil
}

// misused turns the panic of f, a misuse, into an error.
func misused(f func()) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	f()
	return 0, nil
}

// yes is a bool as a script returns it.
func yes(ok bool) int {
	if ok {
		return 1
	}
	return 0
}

// TestBehaviours runs the table: what users of locks, signals, memory and queues
// between processes count on.
func TestBehaviours(t *testing.T) {
	table := slices.Concat(
		lockBehaviours, signalBehaviours, meetingBehaviours, itemBehaviours, queueBehaviours, memoryBehaviours, pipeBehaviours,
		panicBehaviours, turnBehaviours, promptBehaviours, deathBehaviours,
	)
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		for _, b := range table {
			for _, swapped := range []bool{false, true} {
				name := fmt.Sprintf("%s/%s/here first", b.of, b.says)
				if swapped {
					name = fmt.Sprintf("%s/%s/there first", b.of, b.says)
				}
				calm := watchdog(t.Name() + "/" + name)
				t.Run(name, func(t *testing.T) {
					ctx := soon(t)
					on := func(place tandem.Runner) side {
						return func(c cast) *tandem.Future[int] { return act.On(place).Go(ctx, c) }
					}
					s := &stage{T: t, c: everything(t), one: on(tandem.Goroutines(4)), other: on(place)}
					s.apart = strings.Contains(t.Name(), "/processes/")
					if swapped {
						s.one, s.other = s.other, s.one
					}
					b.play(s)
				})
				calm()
			}
		}
		t.Cleanup(watchdog(t.Name() + ": the end")) // the place may not be closed for ever
	})
}

// watchdog ends the whole test, by a panic that names the case and shows where
// everybody is, unless its result is called in time. A thing that is broken may hold a
// goroutine for ever, which nothing else can end.
func watchdog(name string) (calm func()) {
	const limit = time.Minute
	w := time.AfterFunc(limit, func() { panic(fmt.Sprintf("%s hangs: not over after %v", name, limit)) })
	return func() { w.Stop() }
}

// everything is one thing of each type: two permits, two parties, room for two items.
func everything(t *testing.T) cast {
	c := newCond(t)
	c.Tally, c.Event, c.Ready = newTally(t), newEvent(t), newEvent(t)
	c.Sem, c.RW, c.Meet = newSemaphore(t, 2), newRWMutex(t), newBarrier(t, 2)
	c.Once = newOnce(t)
	c.Group, c.Line = newGroup(t), newLine(t, 2)
	c.Num, c.Slice = newAtomic[int64](t, 0), newSlice[int64](t, 4)
	return c
}
