package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// bait is what a task that may be poison is told: how often it kills its worker, by the
// notes that it leaves in a file.
type bait struct {
	Note  string
	Kills int
}

func nibble(b bait) (int, error) {
	if err := remark(b.Note, "started"); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(b.Note)
	if err != nil {
		return 0, err
	}
	if n := strings.Count(string(text), "\n"); n > b.Kills {
		return n, nil
	}
	os.Exit(4)
	return 0, nil
}

var (
	nibbling = tandem.NewTask("nibbling", func(_ context.Context, b bait) (int, error) { return nibble(b) })
	gnawing  = tandem.NewTask("gnawing", func(_ context.Context, b bait) (int, error) { return nibble(b) }).Idempotent()
)

// noteOf is a file for one bait.
func noteOf(t *testing.T, name string) string { return t.TempDir() + "/" + name }

// TestPoison: after so many dead workers a task with that argument is refused; with
// another it is not, and a success clears it.
func TestPoison(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, PoisonAfter: 3, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	call := func(b bait) error {
		_, err := nibbling.On(pool).Call(t.Context(), b)
		return err
	}
	deadly := bait{noteOf(t, "deadly"), 1000}
	for i := range 2 {
		var crash *tandem.CrashError
		if err := call(deadly); errors.Is(err, tandem.ErrPoison) || !errors.As(err, &crash) || crash.Attempt != 1 {
			t.Fatalf("death %d: %v, want a CrashError that is not yet poison", i+1, err)
		}
	}
	for i := range 3 {
		var crash *tandem.CrashError
		if err := call(deadly); !errors.Is(err, tandem.ErrPoison) || !errors.As(err, &crash) || crash.ExitCode != 4 || !strings.Contains(err.Error(), crash.Input) {
			t.Errorf("call %d: %v, want ErrPoison with the last death and the fingerprint", i+3, err)
		}
	}
	if n := remarks(t, deadly.Note); n != 3 {
		t.Errorf("it ran %d times, want 3: poison is refused before it runs", n)
	}
	_, err := nibbling.On(pool).All(t.Context(), []bait{deadly, deadly})
	if n := remarks(t, deadly.Note); !errors.Is(err, tandem.ErrPoison) || n != 3 {
		t.Errorf("in an All: %v, and it ran %d times", err, n)
	}
	// Two deaths, a success, two deaths: never three in a row.
	weak := bait{noteOf(t, "weak"), 2}
	for i, dies := range []bool{true, true, false, true, true, false} {
		if i == 3 {
			if err := os.Truncate(weak.Note, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := call(weak); (err != nil) != dies || errors.Is(err, tandem.ErrPoison) {
			t.Errorf("weak, call %d: %v", i+1, err)
		}
	}
	if s := pool.Stats(); s.Poisoned != 5 {
		t.Errorf("%d calls were given up, want 5", s.Poisoned)
	}
}

// TestPoisonIdempotent: a call that is run again after a death is given up, too, and
// says so; one that lives in time is not.
func TestPoisonIdempotent(t *testing.T) {
	leaveNothing(t)
	for _, c := range []struct{ after, runs int }{{0, 3}, {1, 1}, {5, 5}} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			pool := &process.Pool{Workers: 1, PoisonAfter: c.after, Config: process.Config{Stderr: io.Discard}}
			closing(t, pool)
			deadly := bait{noteOf(t, "deadly"), 1000}
			var crash *tandem.CrashError
			_, err := gnawing.On(pool).Call(t.Context(), deadly)
			if !errors.Is(err, tandem.ErrPoison) || !errors.As(err, &crash) || crash.Attempt != c.runs {
				t.Errorf("%v, want ErrPoison in attempt %d", err, c.runs)
			}
			if n := remarks(t, deadly.Note); n != c.runs {
				t.Errorf("it ran %d times, want %d", n, c.runs)
			}
			weak := bait{noteOf(t, "weak"), c.runs - 1}
			if n, err := gnawing.On(pool).Call(t.Context(), weak); n != c.runs || err != nil {
				t.Errorf("it lives in run %d, and there are so many: %d, %v", c.runs, n, err)
			}
		})
	}
}

// doomed is a Setup that leaves something behind which ends the worker later: when
// there is a file.
var doomed = tandem.NewTask("doomed", func(_ context.Context, sign string) (int, error) {
	err := remark(sign+" births", "born") // first: the end may come at once
	go func() {
		for {
			if _, err := os.Stat(sign); err == nil {
				os.Exit(6)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return 0, err
})

// TestBrokenByEarlyDeaths: a pool whose workers come to serve and die before they have
// had a call does not start them for ever.
func TestBrokenByEarlyDeaths(t *testing.T) {
	leaveNothing(t)
	sign := noteOf(t, "sign")
	pool := &process.Pool{Workers: 1, Setup: doomed.With(sign), Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := remark(sign, "now"); err != nil {
		t.Fatal(err)
	}
	var err error
	eventually(t, "the pool is broken", func() bool {
		err = pool.Start(t.Context())
		return err != nil
	})
	var crash *tandem.CrashError
	if !errors.Is(err, tandem.ErrPoolBroken) || !errors.As(err, &crash) || crash.ExitCode != 6 || !strings.Contains(err.Error(), "died before it had a call") {
		t.Errorf("%v, want ErrPoolBroken with the first cause", err)
	}
	if n := remarks(t, sign+" births"); n != 3 {
		t.Errorf("%d workers were born, want 3", n)
	}
	if _, err := double.On(pool).Call(t.Context(), 1); !errors.Is(err, tandem.ErrPoolBroken) {
		t.Errorf("a call: %v", err)
	}
}
