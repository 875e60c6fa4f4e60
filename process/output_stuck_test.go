package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// stuck is a Writer that does not come back before the gate is open.
type stuck struct {
	gate   chan struct{}
	writes atomic.Int32
}

func (s *stuck) Write(b []byte) (int, error) {
	s.writes.Add(1)
	<-s.gate
	return len(b), nil
}

// mourned says something everywhere, twice, and ends its process.
var mourned = tandem.NewTask("mourned", func(context.Context, int) (int, error) {
	for range 2 {
		fmt.Println("on standard output")
		fmt.Fprintln(os.Stderr, "on standard error")
		slog.Info("in the log")
	}
	os.Exit(3)
	return 0, nil
})

// TestWriterStuck: a Writer or a Handler that does not come back keeps no death from being
// told, nor anybody from closing. It gets nothing more when it does come back.
func TestWriterStuck(t *testing.T) {
	for name, config := range map[string]func(io.Writer) process.Config{
		"stdout": func(w io.Writer) process.Config { return process.Config{Stdout: w, Stderr: io.Discard} },
		"stderr": func(w io.Writer) process.Config { return process.Config{Stdout: io.Discard, Stderr: w} },
		"both":   func(w io.Writer) process.Config { return process.Config{Stdout: w, Stderr: w} },
		"log": func(w io.Writer) process.Config {
			return process.Config{Stdout: io.Discard, Stderr: io.Discard, Logger: slog.New(slog.NewTextHandler(w, nil))}
		},
		"lines in the log": func(w io.Writer) process.Config {
			return process.Config{Logger: slog.New(slog.NewTextHandler(w, nil))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &stuck{gate: make(chan struct{})}
			most := int32(1)
			if name == "lines in the log" {
				most = 3 // who was in the Handler: two streams and the records
			}
			t.Cleanup(func() { // when all that relays is gone
				if n := w.writes.Load(); n > most {
					t.Errorf("%d Writes, want %d at most", n, most)
				}
			})
			leaveNothing(t)
			defer close(w.gate)
			pool := &process.Pool{Workers: 1, Config: config(w), Limits: tandem.Limits{Grace: -1}}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var crash *tandem.CrashError
			call := mourned.On(pool).Go(t.Context(), 0)
			if _, err := call.Wait(ctx); !errors.As(err, &crash) || crash.ExitCode != 3 {
				t.Errorf("the call: %v, want exit status 3", err)
			}
			closed := make(chan error)
			go func() { closed <- pool.Close() }()
			select {
			case err := <-closed:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Error("Close waits for it")
				go func() { <-closed }()
			}
		})
	}
}
