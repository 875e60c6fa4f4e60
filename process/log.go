package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/wire"
)

// openLog makes the channel for the records of a worker, whose end goes into theirs, and
// begins to read it. It is no part of the control channel: a slow Handler must not keep
// a worker's last words, nor its end, from being heard.
func (w *worker) openLog(theirs *codec.Handles) error {
	fd, err := pair(theirs)
	if w.output.log, err = conn(fd, err); err != nil {
		return err
	}
	w.output.relays.Go(w.output.records)
	return nil
}

// records gives each record to the Logger, until the worker is gone.
func (o *output) records() {
	defer o.log.Close()
	left := longestPipe
	for left > 0 {
		var h codec.Handles
		hd, body, err := o.log.Recv(longestFrame, &h)
		h.Close()
		if err == nil && (hd.Kind != wire.Record || hd.Handles > 0) {
			err = fmt.Errorf("%w: %v frame with %d descriptors on the log channel", wire.ErrProtocol, hd.Kind, hd.Handles)
		}
		if err == nil {
			err = o.handle(body)
		}
		o.moves.Add(1)
		if errors.Is(err, wire.ErrProtocol) {
			o.worker.violated(err)
		}
		if err != nil {
			return
		}
		if o.dead.Load() != nil {
			o.log.Expire(o.patience())
			left -= len(body)
		}
	}
}

// handle gives one record to the Logger.
func (o *output) handle(body []byte) error {
	r, task, err := parseRecord(body)
	if err != nil {
		return err
	}
	o.emit(&r, task)
	return nil
}

// record gives the Logger a line of a stream.
func (o *output) record(number int, line string) {
	level := slog.LevelInfo
	if number == stderr {
		level = slog.LevelWarn
	}
	r := slog.NewRecord(time.Now(), level, line, 0)
	_, task := o.source()
	o.emit(&r, task, slog.String("stream", streamNames[number]))
}

// emit hands r to the Handler, with where it comes from. What the Handler returns is
// for nobody: a worker can do nothing about it.
func (o *output) emit(r *slog.Record, task string, more ...slog.Attr) {
	handler := o.worker.plan.Logger.Handler()
	ctx := context.Background()
	if o.over.Load() || !handler.Enabled(ctx, r.Level) {
		return
	}
	name := ""
	if p := o.process.Load(); p != nil {
		name = p.Name()
	}
	r.AddAttrs(slog.String("worker", name))
	if task != "" {
		r.AddAttrs(slog.String("task", task))
	}
	r.AddAttrs(more...)
	_ = handler.Handle(ctx, *r)
}

// leastLevel is the lowest level that l wants now, as far as levels go in practice.
func leastLevel(l *slog.Logger) int64 {
	const lowest, highest = slog.LevelDebug - 8, slog.LevelError + 8
	for level := lowest; level <= highest; level++ {
		if l.Enabled(context.Background(), level) {
			if level == lowest {
				return math.MinInt32
			}
			return int64(level)
		}
	}
	return math.MaxInt32
}
