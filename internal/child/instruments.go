package child

import (
	"context"

	"github.com/tandem-go/tandem/internal/wire"
)

// Instruments is what package process lends to this one: what it takes (log/slog,
// runtime/pprof) is more than a program should link that starts no process.
var Instruments struct {
	// Log makes log/slog send its records, of a level and above, through the channel.
	// task names the task that logs, "" if that is not known.
	Log func(channel *wire.Conn, level int64, task func(context.Context) string)
}

// taskKey is the key of a task's name in its context.
type taskKey struct{}

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
