package tandemtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
)

// view is what a task sees of its context.
type view struct {
	Left        time.Duration // until the deadline
	HasDeadline bool
	Meta        map[string]string
	Value       string
	Ended       bool
}

type viewKey struct{}

var look = tandem.NewTask("look", func(ctx context.Context, _ int) (v view, _ error) {
	deadline, ok := ctx.Deadline()
	v.Left, v.HasDeadline = time.Until(deadline), ok
	v.Meta = tandem.MetaOf(ctx)
	v.Value, _ = ctx.Value(viewKey{}).(string)
	v.Ended = ctx.Err() != nil
	return v, nil
})

// errCause is not registered: it must come from the caller's own context.
var errCause = errors.New("the caller's cause")

var contextCases = []testCase{
	{"nil", func(s *suite) {
		placed := double.On(s.place)
		_, all := placed.All(nil, []int{1})
		_, call := placed.Call(nil, 1)
		_, future := placed.Go(nil, 1).Wait(s.context())
		errs := map[string][]error{"All": {all}, "Call": {call}, "Go": {future}}
		for _, err := range placed.Map(nil, nil) {
			errs["Map"] = append(errs["Map"], err)
		}
		for it := range placed.Unordered(nil, nil) {
			errs["Unordered"] = append(errs["Unordered"], it.Err)
		}
		for _, name := range []string{"All", "Call", "Go", "Map", "Unordered"} {
			if got := errs[name]; len(got) != 1 || got[0] == nil || !strings.Contains(got[0].Error(), "context is nil") {
				s.Errorf("%s with a nil context: %v, want one error that says so", name, got)
			}
		}
		s.alive()
	}},
	{"no deadline, no meta", func(s *suite) {
		v, err := look.On(s.place).Call(context.Background(), 0)
		if err != nil || v.HasDeadline || v.Meta != nil || v.Ended || v.Value != "" {
			s.Errorf("the task sees %+v, %v; want nothing", v, err)
		}
	}},
	{"deadline", func(s *suite) {
		ctx, cancel := context.WithTimeout(s.context(), patience/2)
		defer cancel()
		v, err := look.On(s.place).Call(ctx, 0)
		if err != nil || !v.HasDeadline || v.Left > patience/2 || v.Left <= 0 {
			s.Errorf("the task sees %+v, %v; want a deadline within %v", v, err, patience/2)
		}
	}},
	{"meta and values", func(s *suite) {
		ctx := context.WithValue(s.context(), viewKey{}, "here")
		ctx = tandem.WithMeta(tandem.WithMeta(ctx, tandem.Meta{"a": "1", "b": "1"}), tandem.Meta{"b": "2", "": "空"})
		v, err := look.On(s.place).Call(ctx, 0)
		if want := "map[:空 a:1 b:2]"; err != nil || fmt.Sprint(v.Meta) != want {
			s.Errorf("the task sees the meta %v, %v; want %v", v.Meta, err, want)
		}
		want := "here"
		if s.has.OwnMemory {
			want = ""
		}
		if v.Value != want {
			s.Errorf("the task sees the context value %q, want %q", v.Value, want)
		}
	}},
	{"cancelled before", func(s *suite) {
		ctx, cancel := context.WithCancelCause(s.context())
		cancel(errCause)
		for range 5 {
			if _, err := visiting.On(s.place).Call(ctx, s.gate.visit("early")); !errors.Is(err, errCause) {
				s.Errorf("got %v, want the context's cause", err)
			}
		}
		s.alive()
		s.gate.nobody("after its context had ended")
	}},
	{"cancelled in the queue", func(s *suite) {
		if !s.has.Bounded {
			return // there is no queue; "a queue" in Futures checks that it is so
		}
		var running []*visitor
		var futures []*tandem.Future[string]
		for range s.width() {
			futures = append(futures, visiting.On(s.place).Go(s.context(), s.gate.visit("first")))
			running = append(running, s.gate.next())
		}
		ctx, cancel := context.WithCancelCause(s.context())
		waits := visiting.On(s.place).Go(ctx, s.gate.visit("queued"))
		cancel(errCause)
		if _, err := waits.Wait(s.context()); !errors.Is(err, errCause) {
			s.Errorf("got %v, want the context's cause", err)
		}
		for i, v := range running {
			v.release("done")
			if got, err := futures[i].Wait(s.context()); got != "done" || err != nil {
				s.Errorf("the task that ran meanwhile: %v, %v", got, err)
			}
		}
		s.alive()
		s.gate.nobody("although it was cancelled in the queue")
	}},
	{"cancelled while running", func(s *suite) {
		ctx, cancel := context.WithCancelCause(s.context())
		f := visiting.On(s.place).Go(ctx, s.gate.visit("asked"))
		v := s.gate.next()
		cancel(errCause)
		if _, err := f.Wait(s.context()); !errors.Is(err, errCause) || errors.Is(err, context.Canceled) {
			s.Errorf("got %v, want the cause and not what the task made of it", err)
		}
		s.gate.ended(v)
		s.alive()
	}},
	{"a value wins over the end", func(s *suite) {
		ctx, cancel := context.WithCancel(s.context())
		f := visiting.On(s.place).Limit(tandem.Limits{Grace: patience}).Go(ctx, s.gate.deaf("late"))
		v := s.gate.next()
		cancel()
		v.release("still")
		if got, err := f.Wait(s.context()); got != "still" || err != nil {
			s.Errorf("got %q, %v; want the value of a task that ended with one", got, err)
		}
	}},
	{"deadline while running", func(s *suite) {
		ctx, cancel := context.WithTimeout(s.context(), 200*time.Millisecond)
		defer cancel()
		_, err := visiting.On(s.place).Call(ctx, s.gate.visit("late"))
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, tandem.ErrTimeout) {
			s.Errorf("got %v, want context.DeadlineExceeded and not ErrTimeout", err)
		}
		s.alive()
	}},
}
