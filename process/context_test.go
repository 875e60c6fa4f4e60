package process_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/deadlock"
	"github.com/tandem-go/tandem/process"
)

// keptContexts are those of the calls of this worker, which may keep them.
var keptContexts []context.Context

var keepContext = tandem.NewTask("keepContext", func(ctx context.Context, how string) (string, error) {
	keptContexts = append(keptContexts, ctx)
	if how == "asked" {
		ctx.Done()
	}
	return say(ctx), ctx.Err()
})

var sayKept = tandem.NewTask("sayKept", func(_ context.Context, i int) (string, error) {
	ctx := keptContexts[i]
	select {
	case <-ctx.Done():
		return say(ctx), nil
	case <-time.After(time.Minute):
		return "", fmt.Errorf("context %d does not end: %v", i, ctx.Err())
	}
})

// say is all that a context says of itself, but for when its time is over.
func say(ctx context.Context) string {
	name, _ := ctx.Value(deadlock.TaskKey{}).(string)
	_, limited := ctx.Deadline()
	return fmt.Sprint(name, " ", limited, " ", ctx.Err(), " ", context.Cause(ctx))
}

// TestContextKept: a context that a task has kept is the one of its call for ever, and
// over, whatever the worker has run since.
func TestContextKept(t *testing.T) {
	leaveNothing(t)
	for _, transport := range []process.Transport{0, process.Sockets} {
		pool := &process.Pool{Workers: 1, Transport: transport}
		closing(t, pool)
		timed, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		name := "github.com/tandem-go/tandem/process_test.keepContext"
		for i, c := range []struct {
			how        string
			ctx        context.Context
			runs, over string
		}{
			{"left alone", t.Context(), name + " false <nil> <nil>", name + " false context canceled context canceled"},
			{"asked", t.Context(), name + " false <nil> <nil>", name + " false context canceled context canceled"},
			{"left alone", timed, name + " true <nil> <nil>", name + " true context canceled context canceled"},
			{"asked", timed, name + " true <nil> <nil>", name + " true context canceled context canceled"},
		} {
			said, err := keepContext.On(pool).Call(c.ctx, c.how)
			if err != nil || said != c.runs {
				t.Errorf("%v, %s, in its call: %q, %v, want %q", transport, c.how, said, err, c.runs)
			}
			said, err = sayKept.On(pool).Call(t.Context(), i)
			if err != nil || said != c.over {
				t.Errorf("%v, %s, afterwards: %q, %v, want %q", transport, c.how, said, err, c.over)
			}
		}
	}
}
