package process

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/child"
)

// record makes the file of a death, if it was one by a crash and its plan asks for it.
// The worker's lock is not held.
func (w *worker) record() {
	d := w.plan.Dumps
	left := w.phase == child.PhaseLeaving && w.death.signal == "" && w.death.exitCode != fatalExit
	if d == nil || left || w.death.killed && w.death.trusted {
		return
	}
	w.death.dump = d.keep(w.proc.PID, w.inDeath())
}

// inDeath is all that is known of a worker that is dead, for people.
func (w *worker) inDeath() string {
	var b strings.Builder
	line := func(name string, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s %s\n", name+":", fmt.Sprintf(format, args...))
	}
	d := &w.death
	line("worker", "%s, pid %d, of pid %d", w.process.Name(), d.pid, os.Getpid())
	line("program", "%q", os.Args[0])
	line("time", "%s", time.Now().Format(time.RFC3339Nano))
	line("reason", "%s", d.reason)
	if d.err != nil {
		line("error", "%v", d.err)
	}
	line("end", "%s", endText(w))
	line("phase", "%s", phaseText(w.phase))
	line("used", "%s", used(w.proc.State()))
	line("limits", "%s", limitsText(w.plan.Limits))
	if kept := w.plan.mechanisms(); kept != "" {
		line("kept by", "%s", kept)
	}
	if w.process.Sandbox() != "" {
		line("sandbox", "%s", w.process.Sandbox())
	}
	w.mu.Lock()
	status := w.status
	w.mu.Unlock()
	section(&b, "status before it was killed", strings.Split(strings.TrimSpace(status), "\n"))
	section(&b, "the last lines of its standard error", d.stderr)
	section(&b, "the Go runtime's report", strings.Split(strings.TrimSpace(d.report), "\n"))
	return b.String()
}

// section appends lines, indented, so that none of them can be taken for a heading.
func section(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 || len(lines) == 1 && lines[0] == "" {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, l := range lines {
		b.WriteString("\t" + strings.ReplaceAll(l, "\r", `\r`) + "\n")
	}
}

func endText(w *worker) string {
	text := fmt.Sprintf("exit status %d", w.death.exitCode)
	if w.death.signal != "" {
		text = "signal " + w.death.signal
	}
	if dumpedCore(w.proc.State()) {
		text += ", and the system has written a core dump"
	}
	return text
}

func phaseText(phase uint64) string {
	switch phase {
	case child.PhaseExec:
		return "before tandem.Init"
	case child.PhaseInit:
		return "in Setup, or before it"
	case child.PhaseServing:
		return "serving"
	case child.PhaseLeaving:
		return "leaving"
	case child.PhaseCut:
		return "cut off from its parent"
	}
	return fmt.Sprintf("%d, which is none", phase)
}

// limitsText lists the limits that are set.
func limitsText(l tandem.Limits) string {
	var set []string
	add := func(on bool, text string, value any) {
		if on {
			set = append(set, fmt.Sprintf("%s %v", text, value))
		}
	}
	add(l.Time > 0, "time", l.Time)
	add(l.CPU > 0, "processor time", l.CPU)
	add(l.Memory > 0, "memory", fmt.Sprintf("%d MiB", l.Memory>>20))
	add(l.Output > 0, "output", fmt.Sprintf("%d bytes", l.Output))
	add(true, "grace", l.GraceTime())
	return strings.Join(set, ", ")
}
