package child

import (
	"context"
	"os"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/internal/wire"
)

// Instruments is what package process lends to this one: what it takes (log/slog,
// runtime/pprof) is more than a program should link that starts no process.
var Instruments struct {
	// Log makes log/slog send its records, of a level and above, through the channel.
	// task names the task that logs, "" if that is not known.
	Log func(channel *wire.Conn, level int64, task func(context.Context) string)

	// Profile makes a profile of that kind and time and writes it to f, which it closes.
	Profile func(kind string, d time.Duration, f *os.File)

	// Label labels the goroutine with the task that it is about to run.
	Label func(task string)
}

// makeProfile starts a profile that the parent has asked for.
func makeProfile(body []byte, h *codec.Handles) {
	r := wire.NewReader(body)
	d, kind := time.Duration(r.Uint64()), string(r.Bytes())
	if f, err := h.Take(0); err == nil {
		go Instruments.Profile(kind, d, f)
	}
}

// taskKey is the key of a task's name in its context.
type taskKey = deadlock.TaskKey

// taskOf names the task whose context ctx is, or the one that runs if there is but one.
func (w *worker) taskOf(ctx context.Context) (task string) {
	if name, ok := ctx.Value(taskKey{}).(string); ok {
		return name
	}
	for _, l := range w.lanes {
		l.mu.Lock()
		running := l.ctx
		l.mu.Unlock()
		switch {
		case running == nil:
		case task != "":
			return ""
		default:
			task = running.callee.Name()
		}
	}
	return task
}
