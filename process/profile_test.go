package process_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var spinning = tandem.NewTask("spinning", func(ctx context.Context, _ int) (n int, err error) {
	for ctx.Err() == nil {
		n++
	}
	return n, nil
})

// pprofText is what go tool pprof says about profiles.
func pprofText(t *testing.T, profiles []process.Profile, args ...string) string {
	t.Helper()
	args = append([]string{"tool", "pprof"}, args...)
	for _, p := range profiles {
		file := filepath.Join(t.TempDir(), p.Worker)
		if err := os.WriteFile(file, p.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestProfile: each worker's profiles come while it works, pprof reads them, and they
// name the task.
func TestProfile(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command")
	}
	leaveNothing(t)
	pool := &process.Pool{Workers: 2}
	defer pool.Close()
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		spinning.On(pool).Go(ctx, 0)
	}
	eventually(t, "both workers run it", func() bool { return pool.Stats().Running == 2 })
	const task = "github.com/tandem-go/tandem/process_test.spinning"
	for kind, d := range map[string]time.Duration{"cpu": 300 * time.Millisecond, "goroutine": 0, "heap": 0, "allocs": 0, "mutex": time.Millisecond, "block": time.Millisecond, "threadcreate": 0} {
		profiles, err := pool.Profile(t.Context(), kind, d)
		if err != nil || len(profiles) != 2 || profiles[0].Worker == profiles[1].Worker || profiles[0].PID == profiles[1].PID {
			t.Errorf("%s: %d profiles, %v", kind, len(profiles), err)
			continue
		}
		switch kind {
		case "cpu", "goroutine":
			if text := pprofText(t, profiles, "-tags"); !strings.Contains(text, task) {
				t.Errorf("%s: no sample has the task's label:\n%s", kind, text)
			}
		default:
			pprofText(t, profiles, "-top")
		}
	}
}

func TestProfileRefused(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	defer pool.Close()
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for kind, d := range map[string]time.Duration{"cpu": 0, "goroutine": 1, "nonsense": 0} {
		if got, err := pool.Profile(t.Context(), kind, d); err == nil || got != nil {
			t.Errorf("%s for %v: %v, %v", kind, d, got, err)
		}
	}
	// Nobody wants it any more: the worker stops, and can make another.
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
	if got, err := pool.Profile(ctx, "cpu", time.Hour); !errors.Is(err, cause) || len(got) != 0 {
		t.Errorf("cancelled: %v, %v", got, err)
	}
	eventually(t, "it can be profiled again", func() bool {
		got, err := pool.Profile(t.Context(), "cpu", time.Millisecond)
		return err == nil && len(got) == 1
	})
	// A worker that dies meanwhile is an error, and nothing waits.
	time.AfterFunc(10*time.Millisecond, func() { kill(t, process.Children()[0].PID()) })
	if got, err := pool.Profile(t.Context(), "cpu", time.Hour); err == nil || len(got) != 0 {
		t.Errorf("of a worker that died: %v, %v", got, err)
	}
}

func BenchmarkLabel(b *testing.B) { process.BenchLabel(b) }
