package process

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
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

// TestLogHeldOpen: somebody who got away with a dead worker's end of the log channel, and
// goes on writing there, does not keep its death from being settled.
func TestLogHeldOpen(t *testing.T) {
	w := &worker{plan: &plan{Config: Config{Logger: slog.New(slog.DiscardHandler)}}}
	w.output = &output{worker: w, sink: newSink(&w.plan.Config)}
	var theirs codec.Handles
	if err := w.openLog(&theirs); err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	fd, err := wire.Descriptor(theirs.Files()[0])
	if err != nil {
		t.Fatal(err)
	}
	var writer sync.WaitGroup
	defer writer.Wait()
	writer.Go(func() {
		r := slog.NewRecord(time.Now(), slog.LevelInfo, "still here", 0)
		for far := wire.NewBlocking(fd); far.Send(wire.Record, 0, appendRecord(wire.Room(nil), &r, "", nil), nil) == nil; {
			time.Sleep(lastWords / 5)
		}
	})
	finished := make(chan struct{})
	go func() { w.output.finish(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(30 * lastWord):
		t.Error("what is written there is read without an end")
		w.output.log.Close()
	}
}
