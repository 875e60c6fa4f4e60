//go:build unix

package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var dying = tandem.NewTask("dying", func(ctx context.Context, how string) (int, error) {
	switch how {
	case "exit":
		os.Exit(3)
	case "abort":
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	case "terminate":
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "overflow":
		return deeper(0), nil
	case "map":
		m := map[int]int{}
		for range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%10]++
				}
			}()
		}
		select {}
	case "nil pointer":
		go func() { _ = *(*int)(nil) }()
		select {}
	case "panic":
		go func() { panic("in a goroutine") }()
		select {}
	case "memory":
		return hoard(1 << 10), nil
	case "one allocation":
		return len(make([]byte, 4<<30)), nil
	}
	return 0, nil
})

func deeper(n int) int { return deeper(n+1) + 1 }

var hoarded [][]byte

func hoard(mib int) int {
	for range mib {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		hoarded = append(hoarded, b)
	}
	return len(hoarded)
}

// TestDeaths: each is named for what it was.
func TestDeaths(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	for _, c := range []struct {
		how, reason string
		code        int
		signal      string
	}{
		{"exit", "exit status 3: the task, or C code in it, ended the process", 3, ""},
		{"abort", "abort (SIGABRT)", 2, ""},
		{"terminate", `ended by signal "terminated"`, -1, "terminated"},
		{"kill", `killed by signal "killed", which this program did not send`, -1, "killed"},
		{"overflow", "stack overflow", 2, ""},
		{"map", "concurrent map ", 2, ""},
		{"nil pointer", "a goroutine that the task started panicked: runtime error: invalid memory address or nil pointer dereference", 2, ""},
		{"panic", "a goroutine that the task started panicked: in a goroutine", 2, ""},
	} {
		_, err := dying.On(pool).Call(t.Context(), c.how)
		var crash *tandem.CrashError
		if !errors.As(err, &crash) {
			t.Errorf("%s: %v, want a *CrashError", c.how, err)
			continue
		}
		if !strings.HasPrefix(crash.Reason, c.reason) || crash.ExitCode != c.code || crash.Signal != c.signal || crash.Collateral {
			t.Errorf("%s: reason %q, exit code %d, signal %q; want %q, %d, %q", c.how, crash.Reason, crash.ExitCode, crash.Signal, c.reason, c.code, c.signal)
		}
		if c.code == 2 && !strings.Contains(crash.Report, "goroutine") {
			t.Errorf("%s: the runtime's report is %.60q", c.how, crash.Report)
		}
		if errors.Is(err, tandem.ErrMemory) {
			t.Errorf("%s: it is no lack of memory", c.how)
		}
	}
}

// TestMemoryDeaths: a limit on memory is kept, by the pool or by the call, against
// many small pieces and one large, and an overflow is still called one.
func TestMemoryDeaths(t *testing.T) {
	leaveNothing(t)
	limit := tandem.Limits{Memory: 128 << 20}
	byPool := &process.Pool{Workers: 1, Limits: limit, Config: process.Config{Stderr: io.Discard}}
	closing(t, byPool)
	byCall := &process.Pool{Workers: 1, Config: process.Config{Stderr: io.Discard}}
	closing(t, byCall)
	for name, placed := range map[string]tandem.Placed[string, int]{"pool": dying.On(byPool), "call": dying.On(byCall).Limit(limit)} {
		for _, how := range []string{"memory", "one allocation"} {
			_, err := placed.Call(t.Context(), how)
			if raceEnabled {
				if !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("%s, %s: %v; a race build cannot keep it and says so", name, how, err)
				}
				continue
			}
			var crash *tandem.CrashError
			if !errors.Is(err, tandem.ErrMemory) || !errors.As(err, &crash) || !strings.Contains(crash.Reason, "128 MiB") {
				t.Errorf("%s, %s: %v, want ErrMemory with the limit", name, how, err)
			}
		}
		if raceEnabled {
			continue
		}
		var crash *tandem.CrashError
		if _, err := placed.Call(t.Context(), "overflow"); !errors.As(err, &crash) || crash.Reason != "stack overflow" {
			t.Errorf("%s: an overflow under a memory limit: %v", name, err)
		}
	}
}
