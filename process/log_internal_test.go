package process

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/wire"
)

// FuzzRecord: a worker may send anything. What is a record is one that can be sent on.
func FuzzRecord(f *testing.F) {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "message", anchor)
	f.Add(appendRecord(nil, &r, "task", []slog.Attr{
		slog.Bool("b", true), slog.Int("i", -1), slog.Float64("f", 1), slog.Time("t", time.Now()), slog.Any("e", errors.New("x")),
		slog.Group("g", slog.Duration("d", 1), slog.Group("h", slog.Uint64("u", 1))),
	}))
	f.Add([]byte("garbage"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, task, err := parseRecord(body)
		if err != nil {
			if !errors.Is(err, wire.ErrProtocol) {
				t.Fatalf("%v is no broken rule", err)
			}
			return
		}
		var out bytes.Buffer
		h := slog.NewJSONHandler(&out, &slog.HandlerOptions{AddSource: true})
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		var attrs []slog.Attr
		r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
		again, name, err := parseRecord(appendRecord(nil, &r, task, attrs))
		if err != nil || name != bounded(task) || again.Level != r.Level || !again.Time.Equal(r.Time) {
			t.Errorf("sent on, it came as %v %v %q, %v", again.Time, again.Level, name, err)
		}
	})
}
