package deadlock

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

const (
	// patience is how long a goroutine waits before it takes a deadlock for possible.
	patience = time.Second
	// pause is between two looks.
	pause = 100 * time.Millisecond
)

// Error says that who waits waits, in the end, for himself.
type Error struct {
	Circle []Member // the first is who is told; each waits for the next, the last for the first
}

func (e *Error) Error() string { return fmt.Sprintf("deadlock of %v", e.Circle) }

// Member is one who waits.
type Member struct {
	PID      int
	Task, At string // the task's name, "" if it is not known; where it waits
}

// TaskKey is what a context is asked for the name of the task that it belongs to, and
// DeadlineKey for the time.Time at which the whole task has to end.
type (
	TaskKey     struct{}
	DeadlineKey struct{}
)

// Request says what a goroutine waits for.
type Request struct {
	What  Thing
	Wants int // shares
	// Peers are the processes that have shares, or wait too.
	Peers func() []int
	// Still reports whether it was not given yet what it waits for; nil: while it waits,
	// it was not.
	Still func() bool
}

// Wait is the waiting of one goroutine. A nil Wait never finds anything.
type Wait struct {
	request Request
	record  Record
	told    chan struct{}
	err     *Error
	suspect *suspicion
}

// Begin notes that the calling goroutine begins to wait. It returns nil if nobody
// looks, or if the waiting has a time limit of its own: then it ends by itself, and
// is no deadlock.
func Begin(ctx context.Context, r Request) *Wait {
	if !Watched || timed(ctx) {
		return nil
	}
	w := &Wait{request: r, told: make(chan struct{})}
	task, _ := ctx.Value(TaskKey{}).(string)
	w.record = Record{
		Goroutine: goroutine(), Since: sys.MonotonicNow(), What: r.What, Wants: r.Wants,
		Task: tail(task), At: tail(caller()),
	}
	table.Lock()
	defer table.Unlock()
	table.numbers++
	w.record.Number = table.numbers
	table.waits[w] = true
	if !table.watching {
		table.watching = true
		go watch()
	}
	return w
}

// timed reports whether ctx ends before the task does.
func timed(ctx context.Context) bool {
	end, limited := ctx.Deadline()
	whole, _ := ctx.Value(DeadlineKey{}).(time.Time)
	return limited && (whole.IsZero() || end.Before(whole))
}

// Told is closed when Err has something to say.
func (w *Wait) Told() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.told
}

// Err is nil, or an *Error.
func (w *Wait) Err() error {
	select {
	case <-w.Told():
		return w.err
	default:
		return nil
	}
}

// End ends the waiting, for whatever reason.
func (w *Wait) End() {
	if w == nil {
		return
	}
	table.Lock()
	defer table.Unlock()
	w.end()
}

func (w *Wait) end() {
	delete(table.waits, w)
	if table.page.remove(w.record.Number) {
		table.page.write()
	}
}

// tell ends the waiting with an error.
func (w *Wait) tell(circle []*Record) {
	table.Lock()
	defer table.Unlock()
	if !table.waits[w] {
		return
	}
	w.err = new(Error)
	for _, r := range circle {
		w.err.Circle = append(w.err.Circle, Member{PID: r.pid, Task: clean(r.Task), At: clean(r.At)})
	}
	w.end()
	close(w.told)
}

// caller is the source line that called package shared.
func caller() string {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !inside(f.Function) || !more {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
}

func inside(function string) bool {
	_, name, _ := strings.Cut(function, "/tandem/")
	for _, p := range []string{"shared.", "internal/lock.", "internal/monitor.", "internal/deadlock."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// longest is how much is told of a name or a line: its end, which says most.
const longest = 200

func tail(s string) string { return s[max(0, len(s)-longest):] }

// clean is a text that may be a hostile process's, as far as it can be shown.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, tail(s))
}

var self = os.Getpid()
