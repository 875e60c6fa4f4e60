package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// dumping is a pool whose workers leave dumps.
func dumping(t *testing.T, d *process.Dumps, limits tandem.Limits) *process.Pool {
	pool := &process.Pool{Workers: 1, Limits: limits, Config: process.Config{Stderr: io.Discard, Dir: t.TempDir(), Dumps: d}}
	closing(t, pool)
	return pool
}

// dumpOf is the text of the dump that err names.
func dumpOf(t *testing.T, err error) (crash *tandem.CrashError, text string) {
	t.Helper()
	crash, ok := errors.AsType[*tandem.CrashError](err)
	if !ok || crash.Dump == "" {
		t.Fatalf("%v: not a CrashError with a dump", err)
	}
	b, err := os.ReadFile(crash.Dump)
	if err != nil {
		t.Fatal(err)
	}
	return crash, string(b)
}

// TestDump: the file of a crash says all that is known, in a pool and in a process.
func TestDump(t *testing.T) {
	leaveNothing(t)
	d := &process.Dumps{Dir: filepath.Join(t.TempDir(), "made", "by", "tandem")}
	limits := tandem.Limits{Output: 1 << 20}
	pool := dumping(t, d, limits)
	for how, wants := range map[string][]string{
		"concurrent map":   {"reason:  concurrent map ", "goroutine ", "raceOnMap"},
		"stack overflow":   {"reason:  stack overflow\n", "deeper"},
		"exit 3":           {"end:     exit status 3\n"},
		"SIGKILL":          {"end:     signal killed\n"},
		"read-only memory": {"writeReadOnly"},
	} {
		_, err := perishing.On(pool).Call(t.Context(), end{How: how})
		crash, text := dumpOf(t, err)
		words := "\tthe last words of " + how + "\n"
		if raceEnabled && how == "concurrent map" {
			words = "" // under what the race detector writes about it
		}
		for _, want := range append(wants,
			"reason:  "+crash.Reason+"\n", fmt.Sprintf(", pid %d, of pid %d\n", crash.PID, os.Getpid()),
			"\nphase:   serving\n", "\nused:    ", " KiB of memory at the most", "\nlimits:  output 1048576 bytes, grace 1s\n",
			words, "\ncall:    "+crash.Task+"\nattempt: 1\ninput:   "+crash.Input+"\n",
		) {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in the dump\n%s", how, want, text)
			}
		}
		for line := range strings.Lines(crash.Report) {
			if l := strings.TrimSpace(line); !strings.Contains(text, l) {
				t.Errorf("%s: the line %q of the report is not in the dump", how, l)
			}
		}
		if st, err := os.Stat(crash.Dump); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", how, st.Mode(), err)
		}
	}
	h, err := process.Start(t.Context(), process.Config{Dumps: d, Stderr: io.Discard}, perishing, end{How: "exit 3"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Wait(t.Context())
	if crash, text := dumpOf(t, err); !strings.Contains(text, "\ncall:    "+crash.Task+"\n") {
		t.Errorf("of a process:\n%s", text)
	}
}

// TestDumpAttempts: each run of an idempotent call is told in the dump of the worker
// that it killed.
func TestDumpAttempts(t *testing.T) {
	leaveNothing(t)
	d := &process.Dumps{Dir: t.TempDir()}
	_, err := perishingAgain.On(dumping(t, d, tandem.Limits{})).Call(t.Context(), end{How: "exit 3"})
	if crash, text := dumpOf(t, err); crash.Attempt != 3 || !strings.Contains(text, "\nattempt: 3\n") {
		t.Errorf("attempt %d:\n%s", crash.Attempt, text)
	}
	files := dumpsIn(t, d.Dir)
	if len(files) != 3 {
		t.Fatalf("%d dumps, want 3", len(files))
	}
	for i, file := range files {
		if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), fmt.Sprintf("\nattempt: %d\n", i+1)) {
			t.Errorf("dump %d: %v\n%s", i+1, err, b)
		}
	}
}

var perishingAgain = tandem.NewTask("perishing again", func(_ context.Context, e end) (string, error) {
	waysOut[e.How](e)
	return "", nil
}).Idempotent()

func dumpsIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDumpsAreBounded: there are so many, the newest, and what else is in the folder
// stays.
func TestDumpsAreBounded(t *testing.T) {
	leaveNothing(t)
	d := &process.Dumps{Dir: t.TempDir(), Keep: 2}
	other := filepath.Join(d.Dir, "tandem-notes")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pool := dumping(t, d, tandem.Limits{})
	var last []string
	for range 4 {
		_, err := perishing.On(pool).Call(t.Context(), end{How: "exit 3"})
		crash, _ := dumpOf(t, err)
		last = append(last, crash.Dump)
	}
	if got, want := strings.Join(dumpsIn(t, d.Dir), " "), strings.Join([]string{last[2], last[3], other}, " "); got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
}

// TestDumpFails: without the folder the error is the same, only without a file.
func TestDumpFails(t *testing.T) {
	leaveNothing(t)
	d := &process.Dumps{Dir: filepath.Join(t.TempDir(), "gone")}
	pool := dumping(t, d, tandem.Limits{})
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.Dir); err != nil {
		t.Fatal(err)
	}
	_, err := perishing.On(pool).Call(t.Context(), end{How: "exit 3"})
	if crash, ok := errors.AsType[*tandem.CrashError](err); !ok || crash.ExitCode != 3 || crash.Dump != "" {
		t.Errorf("got %+v", err)
	}
}

// TestNoDump: what did not crash leaves none.
func TestNoDump(t *testing.T) {
	leaveNothing(t)
	d := &process.Dumps{Dir: t.TempDir()}
	pool := dumping(t, d, tandem.Limits{Time: 1, Grace: -1})
	if _, err := perishing.On(pool).Call(t.Context(), end{How: "asleep"}); !errors.Is(err, tandem.ErrTimeout) {
		t.Errorf("got %v", err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	h, err := process.Start(t.Context(), process.Config{Dumps: d}, perishing, end{How: "nil pointer"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); err == nil {
		t.Error("no panic")
	}
	if files := dumpsIn(t, d.Dir); len(files) > 0 {
		t.Errorf("there are %v", files)
	}
}

// TestDumpOfCore: the system writes a core dump into the worker's folder, if its
// pattern says so, and the error still names the cause.
func TestDumpOfCore(t *testing.T) {
	leaveNothing(t)
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &r); err != nil || r.Max < 1<<30 {
		t.Skip("no core dump of that size may be asked for", r.Max, err)
	}
	pattern, _ := os.ReadFile("/proc/sys/kernel/core_pattern")
	pool := dumping(t, &process.Dumps{Dir: t.TempDir(), Core: 1 << 30}, tandem.Limits{})
	_, err := perishing.On(pool).Call(t.Context(), end{How: "concurrent map"})
	crash, text := dumpOf(t, err)
	if !strings.HasPrefix(crash.Reason, "concurrent map ") || crash.Signal != "aborted" || !strings.Contains(crash.Report, "raceOnMap") {
		t.Errorf("reason %q, signal %q, report %q", crash.Reason, crash.Signal, crash.Report)
	}
	if strings.TrimSpace(string(pattern)) != "core" {
		t.Logf("core dumps go to %s", pattern)
		return
	}
	cores, err := filepath.Glob(filepath.Join(pool.Config.Dir, "core*"))
	if err != nil || len(cores) != 1 {
		t.Fatalf("core dumps: %v, %v", cores, err)
	}
	if st, err := os.Stat(cores[0]); err != nil || st.Size() == 0 {
		t.Error(st, err)
	}
	if !strings.Contains(text, "signal aborted, and the system has written a core dump\n") {
		t.Error(text)
	}
}

// TestDumpsRefuse: what makes no sense.
func TestDumpsRefuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]*process.Dumps{
		"Dir is not set": {}, "negative": {Dir: "x", Keep: -1}, "Dumps.Dir: mkdir": {Dir: filepath.Join(file, "below")},
	} {
		if _, err := process.Start(t.Context(), process.Config{Dumps: d}, double, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
