package process

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/child"
	"github.com/tandem-go/tandem/internal/wire"
)

// init lends internal/child what it cannot import.
func init() {
	child.Instruments.Log = sendLogs
	child.Instruments.Profile = answerProfile
	child.Instruments.Label = labelTask
}

// sendLogs makes the default Logger of this worker send its records to the parent.
func sendLogs(channel *wire.Conn, level int64, task func(context.Context) string) {
	slog.SetDefault(slog.New(&sender{way: &way{channel: channel}, level: slog.Level(level), task: task}))
}

// sender is the slog.Handler of a worker. A record has left when Handle returns: none
// is lost in a worker that ends well, and a parent that does not read holds up who logs.
type sender struct {
	way    *way
	level  slog.Level
	task   func(context.Context) string
	scopes []scope // of WithAttrs and WithGroup, in their order
}

// way is what all senders of a process share.
type way struct {
	mu      sync.Mutex
	channel *wire.Conn
}

// scope is a group that was opened, or attributes.
type scope struct {
	group string
	attrs []slog.Attr
}

func (s *sender) Enabled(_ context.Context, level slog.Level) bool { return level >= s.level }

func (s *sender) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return s
	}
	return s.in(scope{attrs: attrs})
}

func (s *sender) WithGroup(name string) slog.Handler {
	if name == "" {
		return s
	}
	return s.in(scope{group: name})
}

func (s *sender) in(inner scope) slog.Handler {
	deeper := *s
	deeper.scopes = append(slices.Clip(s.scopes), inner)
	return &deeper
}

func (s *sender) Handle(ctx context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for _, sc := range slices.Backward(s.scopes) {
		switch {
		case sc.group == "":
			attrs = append(slices.Clip(sc.attrs), attrs...)
		case len(attrs) > 0:
			attrs = []slog.Attr{{Key: sc.group, Value: slog.GroupValue(attrs...)}}
		}
	}
	task := s.task(ctx)
	w := s.way
	// Encoded before the lock is taken: a LogValuer may log.
	frame := appendRecord(wire.Room(nil), &r, task, attrs)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.channel.Send(wire.Record, 0, frame, nil)
}
