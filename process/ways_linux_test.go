package process_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var deathsFlag = flag.Int("deaths", 1, "how often TestWaysToDie takes each way")

// way is a way to die and what a caller must be told of it.
type way struct {
	how    string
	limits tandem.Limits // of the call

	is     error  // errors.Is, nil: nothing is asked
	reason string // beginning of CrashError.Reason; "": it is no CrashError
	code   int    // of its exit
	signal string
	report string // what the runtime's report has, such as the name of the function that did it
	panics string // beginning of PanicError.Value; "": it is no PanicError
	places string // "pool" if not given
}

const (
	elsewhere = "a goroutine that the task started panicked: "
	byItself  = ": the task, or C code in it, ended the process"
)

// Limits under which nothing that is asked to stop has long to do so.
var (
	soon   = tandem.Limits{Time: 30 * time.Millisecond, Grace: 10 * time.Millisecond}
	little = tandem.Limits{CPU: 20 * time.Millisecond, Grace: 10 * time.Millisecond}
	narrow = tandem.Limits{Memory: 128 << 20}
)

var ways = []way{
	// The task ends and its worker lives.
	{how: "panic", is: errOfEnd, panics: "the end"},
	{how: "nil pointer", panics: "runtime error: invalid memory address"},
	{how: "goexit", panics: "runtime.Goexit called"},

	// The process ends itself.
	{how: "exit 3", reason: "exit status 3" + byItself, code: 3},
	{how: "exit 0", reason: "exit status 0" + byItself, code: 0},
	{how: "log.Fatal", reason: "exit status 1" + byItself, code: 1},

	// The Go runtime ends it.
	{how: "panic elsewhere", reason: elsewhere + "in a goroutine", code: 2, report: "process_test.init"},
	{how: "nil pointer elsewhere", reason: elsewhere + "runtime error: invalid memory address", code: 2, report: "process_test.init"},
	{how: "stack overflow", reason: "stack overflow", code: 2, report: "process_test.deeper"},
	{how: "concurrent map", reason: "concurrent map ", code: 2, report: "process_test.raceOnMap"},
	{how: "unlock of unlocked", reason: "sync: unlock of unlocked mutex", code: 2, report: "sync.(*Mutex).Unlock"},
	{how: "threads", reason: "thread exhaustion", code: 2},
	{how: "out of memory", limits: narrow, is: tandem.ErrMemory, reason: "out of memory: Limits.Memory is 128 MiB", code: -2},
	{how: "one allocation", limits: narrow, is: tandem.ErrMemory, reason: "out of memory: Limits.Memory is 128 MiB", code: -2},

	// The kernel ends it, or the runtime for it.
	{how: "read-only memory", reason: "segmentation violation (SIGSEGV)", code: 2, report: "process_test.writeReadOnly"},
	{how: "unmapped memory", reason: "segmentation violation (SIGSEGV)", code: 2, report: "process_test.readUnmapped"},
	{how: "truncated file", reason: "bus error (SIGBUS)", code: 2, report: "process_test.readTruncated"},
	{how: "SIGSEGV", reason: "segmentation violation (SIGSEGV)", code: 2, report: "process_test.raise"},
	{how: "SIGABRT", reason: "abort (SIGABRT)", code: 2, report: "process_test.raise"},
	{how: "SIGQUIT", reason: "quit (SIGQUIT)", code: 2, report: "process_test.raise"},
	{how: "SIGKILL", reason: `killed by signal "killed", which this program did not send`, code: -1, signal: "killed"},
	{how: "SIGTERM", reason: `ended by signal "terminated"`, code: -1, signal: "terminated"},
	{how: "SIGSYS", reason: "bad system call (SIGSYS)", code: 2, report: "process_test.raise"},
	{how: "out-of-memory killer", is: tandem.ErrOOMKilled, reason: "killed by the kernel's out-of-memory killer", code: -1, signal: "killed"},

	// tandem ends it.
	{how: "loop", limits: soon, is: tandem.ErrTimeout},
	{how: "asleep", limits: soon, is: tandem.ErrTimeout},
	{how: "blocked call", limits: soon, is: tandem.ErrTimeout},
	{how: "SIGSTOP", limits: soon, is: tandem.ErrTimeout},
	{how: "loop", limits: little, is: tandem.ErrCPU},
	{how: "too much", limits: tandem.Limits{Output: 1 << 10}, is: tandem.ErrTooLarge},
	{how: "forged frame", reason: "killed by tandem: ", code: -1, signal: "killed"},
	{how: "closed channel", reason: "it ended itself, cut off from this program", code: -1, signal: "killed"},

	// It has not even begun.
	{how: "no folder", places: "start"},
	{how: "before Init", reason: "exit status 7 before it reached tandem.Init", code: 7, places: "start"},
	{how: "in Setup", is: errSetup, places: "setup"},
	{how: "exit in Setup", is: tandem.ErrPoolBroken, reason: "exit status 9", code: 9, places: "setup"},
}

var much = tandem.NewTask("much", func(context.Context, int) (string, error) { return strings.Repeat("much", 1<<10), nil })

// TestWaysToDie: of whatever a task or its worker dies, the caller is told what it was,
// by an error of the right kind with the right words, and the next call is well.
func TestWaysToDie(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: 20 * time.Millisecond}, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	folder := t.TempDir()
	right := map[string]int{}
	for range *deathsFlag {
		for i, w := range ways {
			name := fmt.Sprintf("%d %s", i+1, w.how)
			if raceEnabled && w.limits.Memory > 0 {
				continue // refused in a race build; TestMemoryDeaths sees to that
			}
			if err := w.check(w.die(t, pool, folder)); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if n, err := double.On(pool).Call(t.Context(), 4); n != 8 || err != nil {
				t.Fatalf("the call after %s: %d, %v", name, n, err)
			}
			right[name]++
		}
	}
	for i, w := range ways {
		name := fmt.Sprintf("%d %s", i+1, w.how)
		t.Logf("%-26s right %d of %d times", name, right[name], *deathsFlag)
	}
}

// die takes the way and returns the caller's error.
func (w *way) die(t *testing.T, pool *process.Pool, folder string) (err error) {
	ctx := t.Context()
	file := filepath.Join(folder, "file")
	switch {
	case w.how == "out-of-memory killer":
		return oomKilled(t, pool, file)
	case w.how == "too much":
		_, err = much.On(pool).Limit(w.limits).Call(ctx, 1)
	case w.places == "setup":
		return w.dieInSetup(t, folder)
	case w.places == "start":
		c := process.Config{Stderr: io.Discard, Env: misbehaving("before Init", "exit")}
		if w.how == "no folder" {
			c = process.Config{Dir: filepath.Join(folder, "missing")}
		}
		h, err := process.Start(ctx, c, double, 1)
		if err == nil {
			_, err = h.Wait(ctx)
		}
		if w.how == "no folder" && (err == nil || !strings.Contains(err.Error(), "its working directory")) {
			t.Errorf("no folder: %v", err)
		}
		return err
	default:
		_, err = perishing.On(pool).Limit(w.limits).Call(ctx, end{w.how, file})
	}
	return err
}

func (w *way) dieInSetup(t *testing.T, folder string) error {
	how := "error"
	if w.is != errSetup {
		how = "exit"
	}
	p := &process.Pool{
		Workers: 1, Config: process.Config{Stderr: io.Discard},
		Setup: load.With(hookPlan{Note: filepath.Join(folder, "note"), First: 1 << 30, How: how}),
	}
	defer p.Close()
	_, err := word.On(p).Call(t.Context(), 0)
	if !errors.Is(err, tandem.ErrPoolBroken) {
		t.Errorf("%s: %v, want ErrPoolBroken", w.how, err)
	}
	return err
}

// oomKilled kills a worker as the kernel does, and lets the counter say so. This
// system's memory is not ours to use up.
func oomKilled(t *testing.T, pool *process.Pool, file string) error {
	counter := file + " of victims"
	write(t, counter, "oom_kill 4\n")
	defer process.FollowOOMKills(counter)()
	write(t, counter, "oom_kill 5\n")
	_, err := perishing.On(pool).Call(t.Context(), end{How: "SIGKILL"})
	var crash *tandem.CrashError
	if _, second := perishing.On(pool).Call(t.Context(), end{How: "SIGKILL"}); errors.Is(second, tandem.ErrOOMKilled) || !errors.As(second, &crash) {
		t.Errorf("one victim, and the second death is its, too: %v", second)
	}
	return err
}

// check says what is wrong with an error, if anything is.
func (w *way) check(err error) error {
	var crash *tandem.CrashError
	var panicked *tandem.PanicError
	switch {
	case err == nil:
		return errors.New("no error")
	case w.is != nil && !errors.Is(err, w.is):
		return fmt.Errorf("%v: want %v in it", err, w.is)
	case errors.As(err, &crash) != (w.reason != ""):
		return fmt.Errorf("%v: a CrashError: %v", err, crash != nil)
	case errors.As(err, &panicked) != (w.panics != ""):
		return fmt.Errorf("%v: a PanicError: %v", err, panicked != nil)
	case panicked != nil:
		if !strings.HasPrefix(panicked.Value, w.panics) || w.how != "goexit" && !strings.Contains(string(panicked.Stack), "process_test.") {
			return fmt.Errorf("%q, want %q; its stack:\n%s", panicked.Value, w.panics, panicked.Stack)
		}
	case crash != nil:
		return w.checkCrash(crash)
	}
	return w.checkOthers(err)
}

// checkOthers: what is asked for is that and nothing else.
func (w *way) checkOthers(err error) error {
	for _, other := range []error{
		tandem.ErrTimeout, tandem.ErrCPU, tandem.ErrMemory, tandem.ErrOOMKilled, tandem.ErrTooLarge, tandem.ErrPoison, tandem.ErrClosed, context.Canceled,
	} {
		if other != w.is && errors.Is(err, other) {
			return fmt.Errorf("%v: it is not %v", err, other)
		}
	}
	return nil
}

func (w *way) checkCrash(crash *tandem.CrashError) error {
	begun := w.places == ""
	buried := raceEnabled && w.how == "concurrent map" // under what the race detector writes about it
	anyCode := w.code == -2                            // the runtime ends it, or the watch kills it
	text := crash.Error()
	switch {
	case !strings.HasPrefix(crash.Reason, w.reason):
		return fmt.Errorf("reason %q, want %q", crash.Reason, w.reason)
	case !anyCode && (crash.ExitCode != w.code || crash.Signal != w.signal):
		return fmt.Errorf("exit code %d, signal %q, want %d, %q", crash.ExitCode, crash.Signal, w.code, w.signal)
	case !strings.Contains(crash.Report, w.report) || w.code == 2 && !strings.Contains(crash.Report, "goroutine "):
		return fmt.Errorf("the runtime's report has no %q:\n%s", w.report, crash.Report)
	case begun && (crash.Task != perishing.FullName() || crash.Attempt != 1 || len(crash.Input) != 16):
		return fmt.Errorf("task %q, attempt %d, input %q", crash.Task, crash.Attempt, crash.Input)
	case begun && !buried && !strings.Contains(strings.Join(crash.Stderr, "\n"), "the last words of"):
		return fmt.Errorf("its last lines were %q", crash.Stderr)
	case crash.PID <= 0 || crash.Collateral:
		return fmt.Errorf("PID %d, collateral %v", crash.PID, crash.Collateral)
	case !strings.Contains(text, crash.Task) || !strings.Contains(text, crash.Reason) || !strings.Contains(text, fmt.Sprint(crash.PID)):
		return fmt.Errorf("its text leaves out who or why: %s", text)
	}
	return w.checkOthers(crash)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
