package process_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// busy works for ever if it is deaf, until it is asked to stop if it listens, or rests
// for longer than littleCPU.
var busy = tandem.NewTask("busy", func(ctx context.Context, how string) (string, error) {
	for how == "deaf" {
	}
	for how == "listening" && ctx.Err() == nil {
	}
	if how == "resting" {
		time.Sleep(100 * time.Millisecond)
	}
	return how, ctx.Err()
})

const littleCPU = 50 * time.Millisecond

// TestLimitCPU: who works meets the limit on every way that a call can take; who rests
// for longer does not.
func TestLimitCPU(t *testing.T) {
	t.Run("rings", func(t *testing.T) { limitCPU(t, process.Auto) })
	t.Run("sockets", func(t *testing.T) { limitCPU(t, process.Sockets) })
}

func limitCPU(t *testing.T, transport process.Transport) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Transport: transport, Limits: tandem.Limits{CPU: littleCPU, Grace: 10 * time.Millisecond}}
	closing(t, pool)
	for range 3 { // the time of one call is not the next one's
		if out, err := busy.On(pool).Call(t.Context(), "resting"); out != "resting" || err != nil {
			t.Errorf("a task that rests: %q, %v", out, err)
		}
		for _, how := range []string{"deaf", "listening"} {
			if _, err := busy.On(pool).Call(t.Context(), how); !errors.Is(err, tandem.ErrCPU) || errors.Is(err, tandem.ErrTimeout) {
				t.Errorf("a task that works, %s: %v, want ErrCPU", how, err)
			}
		}
	}
	i := 0
	for out, err := range busy.On(pool).Map(t.Context(), slices.Values([]string{"resting", "listening", "resting", "deaf"})) {
		if works := i%2 == 1; works != errors.Is(err, tandem.ErrCPU) || !works && (out != "resting" || err != nil) {
			t.Errorf("item %d of a Map: %q, %v", i, out, err)
		}
		i++
	}
	if i != 4 {
		t.Errorf("%d items of a Map, want 4", i)
	}
}

func TestLimitCPUOfProcess(t *testing.T) {
	leaveNothing(t)
	h, err := process.Start(t.Context(), process.Config{Limits: tandem.Limits{CPU: littleCPU, Grace: -1}}, busy, "deaf")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(t.Context()); !errors.Is(err, tandem.ErrCPU) {
		t.Errorf("got %v, want ErrCPU", err)
	}
}

// TestLimitCPURefused: where the time of calls cannot be told apart, none runs.
func TestLimitCPURefused(t *testing.T) {
	limits := tandem.Limits{CPU: time.Second}
	pool := &process.Pool{Workers: 1, Threads: 2}
	closing(t, pool)
	limited := &process.Pool{Workers: 1, Threads: 2, Limits: limits}
	closing(t, limited)
	for what, place := range map[string]tandem.Placed[string, string]{
		"call on threads": busy.On(pool).Limit(limits),
		"pool of threads": busy.On(limited),
		"goroutines":      busy.On(tandem.Goroutines(1)).Limit(limits),
	} {
		if _, err := place.Call(t.Context(), ""); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: got %v, want ErrUnsupported", what, err)
		}
	}
}
