package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/child"
)

// death is what is known of a worker that is gone.
type death struct {
	pid      int
	reason   string
	exitCode int
	signal   string
	stderr   []string
	report   string
	err      error         // tandem.ErrMemory and the like
	limits   tandem.Limits // of calls that brought none
	killed   bool          // by tandem
	outside  bool          // by a signal that somebody else sent
	trusted  bool          // it broke no rule
	dump     *dump         // the file about it, nil if there is none
}

// oomKills tells what the kernel killed for want of memory.
var oomKills cgroup.OOMKills

// raceExit is the exit code of a process in which the race detector found
// something.
const raceExit = 66

// fatalExit is the exit code of a process that the Go runtime ended.
const fatalExit = 2

// explain finds out what a worker died of. The wait status alone says little:
// out of memory, stack overflow and concurrent map writes are all "exit status
// 2", so the runtime's own words decide.
func (w *worker) explain() death {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := death{
		pid: w.proc.PID, exitCode: -1, trusted: w.broke == nil, killed: w.killed != "" && !w.starved && !w.sacrificed,
		report: w.report(), limits: w.plan.Limits,
	}
	state := w.proc.State()
	if state != nil {
		d.exitCode = state.ExitCode()
		if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			d.signal = ws.Signal().String()
		}
	}
	// Where core dumps are wanted the runtime ends itself by this signal.
	crashed := d.exitCode == fatalExit || d.signal == syscall.SIGABRT.String() && d.report != ""
	d.stderr = w.output.lines(crashed || d.report != "") // a report may have been cut short by a signal
	limit := w.memoryLimit()
	if !w.limitData() {
		limit = 0 // nothing was refused for it
	}
	if crashed {
		text := d.report + "\n" + strings.Join(d.stderr, "\n")
		if d.reason = threadless(text, w.plan.Processes); d.reason == "" {
			d.reason, d.err = fatal(text, limit)
		}
		if limit > 0 && starvedInC(text, w.seen.Load(), mostResident(state), limit) {
			d.reason = fmt.Sprintf("%s; C code fell over what looks like a refusal of memory: %s", outOfMemory(limit), d.reason)
			d.err = tandem.ErrMemory
		}
	}
	switch {
	case w.broke != nil:
		d.reason, d.err = "killed by tandem: "+w.broke.Error(), nil
	case d.signal != "" && w.starved:
		d.reason, d.err = outOfMemory(w.memoryLimit()), tandem.ErrMemory
	case d.signal != "" && w.sacrificed:
		d.reason, d.err = "killed by tandem before the kernel's out-of-memory killer would have struck: "+w.killed, tandem.ErrOOMKilled
	case d.signal != "" && w.killed != "":
		d.reason, d.err = "killed by tandem: "+w.killed, nil
	case d.reason != "":
	case d.signal != "" && w.phase == child.PhaseCut:
		d.reason = "it ended itself, cut off from this program: the task, or C code in it, closed a descriptor that was not its own"
	case d.signal == syscall.SIGKILL.String() && w.overran:
		d.reason, d.err = outOfMemory(w.memoryLimit()), tandem.ErrMemory
	case d.signal == syscall.SIGKILL.String() && (w.oomKilled || w.oomShared || oomKills.Took()):
		d.reason, d.err = tandem.ErrOOMKilled.Error()+": "+shortage(w.oomShared || w.sheltered && w.oomKilled), tandem.ErrOOMKilled
	case d.signal == syscall.SIGKILL.String():
		d.reason, d.outside = fmt.Sprintf("killed by signal %q, which this program did not send", d.signal), true
	case d.signal != "":
		d.reason, d.outside = fmt.Sprintf("ended by signal %q", d.signal), true
	case w.phase == child.PhaseExec:
		d.reason = fmt.Sprintf("exit status %d", d.exitCode)
	default:
		d.reason = fmt.Sprintf("exit status %d: the task, or C code in it, ended the process", d.exitCode)
	}
	if w.phase == child.PhaseExec && d.signal == "" {
		d.reason = strings.Replace(d.reason, strayPanic, "panic: ", 1) + " before it reached tandem.Init, which must be the first line of main"
	}
	return d
}

// report is what the Go runtime wrote to the crash output.
func (w *worker) report() string {
	b := make([]byte, child.ReportSize)
	n, err := w.pageFile.ReadAt(b, child.ReportAt)
	if err != nil && err != io.EOF {
		return ""
	}
	b, _, _ = bytes.Cut(b[:n], []byte{0})
	return string(b)
}

// strayPanic: a task's own panic is its outcome and ends no process.
const strayPanic = "a goroutine that the task started panicked: "

// fatal names the end that the Go runtime reports in text, "" if none.
func fatal(text string, memory int64) (reason string, err error) {
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("runtime: out of memory"), has("out of memory allocating heap"), has("runtime: cannot allocate memory"), has("runtime: cannot map pages"):
		if memory > 0 {
			return outOfMemory(memory), tandem.ErrMemory
		}
		return "out of memory", nil
	case memory > 0 && starved(text):
		return outOfMemory(memory), tandem.ErrMemory
	case has("goroutine stack exceeds"), has("fatal error: stack overflow"):
		return "stack overflow", nil
	case has("fatal error: concurrent map"):
		return line(text, "fatal error: concurrent map", "fatal error: "), nil
	case has("panic: runtime error: ") && has("[signal SIG"): // a nil pointer in Go code, not in C
		return strayPanic + line(text, "panic: runtime error: ", "panic: "), nil
	case caught(text) != "":
		return caught(text), nil
	case has("fatal error: "):
		return line(text, "fatal error: ", "fatal error: "), nil
	case has("panic: "):
		return strayPanic + line(text, "panic: ", "panic: "), nil
	}
	return "", nil
}

// caught names the signal that the Go runtime reports in a line of its own, or beside
// the fault of Go code: "SIGABRT: abort", "[signal SIGBUS: bus error code=0x2 addr=…".
func caught(text string) string {
	for line := range strings.Lines(text) {
		name, rest, found := strings.Cut(strings.TrimPrefix(line, "[signal "), ": ")
		if !found || !strings.HasPrefix(name, "SIG") || strings.ContainsAny(name, " \t") {
			continue
		}
		what, _, _ := strings.Cut(strings.TrimSpace(rest), " code=")
		return fmt.Sprintf("%s (%s)", what, name)
	}
	return ""
}

func outOfMemory(limit int64) string {
	return fmt.Sprintf("out of memory: Limits.Memory is %d MiB", limit>>20)
}

// threadless names the end of a runtime that was refused a thread under a limit on
// the number of them.
func threadless(text string, processes int) string {
	if processes == 0 || !refusedThread(text) {
		return ""
	}
	return fmt.Sprintf("no further thread could be started: Config.Processes is %d", processes)
}

func refusedThread(text string) bool {
	return strings.Contains(text, "pthread_create failed") || strings.Contains(text, "failed to create new OS thread")
}

// line is the rest of the line in which mark begins, without prefix.
func line(text, mark, prefix string) string {
	_, rest, _ := strings.Cut(text, mark)
	rest = mark[len(prefix):] + rest
	rest, _, _ = strings.Cut(rest, "\n")
	return strings.TrimSpace(rest)
}

// of is the error of a job that ran in a worker when it died, in so many an attempt.
func (d *death) of(j *tandem.Job, attempt int) *tandem.CrashError {
	e := d.crash(j.Spec().Name)
	e.Attempt, e.Input = attempt, fingerprint(j)
	d.dump.call(e, j.Spec().Limits.Or(d.limits))
	return e
}

// witness has the dump tell of a job that runs again.
func (d *death) witness(j *tandem.Job, attempt int) {
	if d.dump != nil {
		d.of(j, attempt)
	}
}

// crash is the error of a task, or of what was to become a worker.
func (d *death) crash(task string) *tandem.CrashError {
	return &tandem.CrashError{
		Task: task, PID: d.pid, Reason: d.reason, ExitCode: d.exitCode, Signal: d.signal,
		Stderr: d.stderr, Report: d.report, Dump: d.dump.where(), Err: d.err,
	}
}

// stillbirth is why a worker that is gone never served.
func (w *worker) stillbirth() error {
	w.mu.Lock()
	refused := w.refused
	w.mu.Unlock()
	switch {
	case refused != nil && refused.stage == 1:
		return fmt.Errorf("tandem: Setup of %s: %w", w.process.Name(), child.Root.Failure(refused.body))
	case refused != nil:
		return errors.New(string(refused.body))
	}
	lines := w.death.stderr
	if i := slices.IndexFunc(lines, beginsReport); i >= 0 && w.death.exitCode == fatalExit {
		lines = lines[:i] // the reason says what the report does
	}
	tail := ""
	if n := len(lines); n > 0 {
		tail = "; it wrote: " + strings.Join(lines[max(0, n-3):], " | ")
	}
	what := "did not start"
	if w.phase >= child.PhaseInit {
		what = "died in its Setup"
	}
	return &stillborn{
		fmt.Sprintf("tandem: %s (pid %d) %s: %s%s", w.process.Name(), w.proc.PID, what, w.death.reason, tail),
		w.death.crash(w.plan.setupName),
	}
}

// stillborn is the CrashError of a worker that died before any task, with a text of
// its own.
type stillborn struct {
	text  string
	crash *tandem.CrashError
}

func (e *stillborn) Error() string { return e.text }
func (e *stillborn) Unwrap() error { return e.crash }

// farewell is what was wrong with the end of a worker that was let go: a failed
// Exit hook, an end that did not come, a race.
func (w *worker) farewell() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.refused != nil && w.refused.stage == 2:
		return fmt.Errorf("tandem: Exit of %s: %w", w.process.Name(), child.Root.Failure(w.refused.body))
	case w.killed == notLeaving && w.death.signal != "" && w.phase == child.PhaseLeaving:
		// One that did not begin to leave was stopped from outside, as one that is killed.
		return fmt.Errorf("tandem: %s (pid %d) was killed: %s; does its Exit hook hang?", w.process.Name(), w.proc.PID, notLeaving)
	case raceEnabled && w.death.exitCode == raceExit:
		return fmt.Errorf("tandem: %s (pid %d): the race detector found a data race; its report is on standard error", w.process.Name(), w.proc.PID)
	}
	return nil
}

// exitCode is Python's: the code, or minus the signal's number.
func exitCode(state *os.ProcessState) int {
	if state == nil {
		return -1
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return -int(ws.Signal())
	}
	return state.ExitCode()
}
