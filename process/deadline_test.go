package process_test

import (
	"context"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// left answers with the time until its deadline, 0 if it has none.
var left = tandem.NewTask("left", func(ctx context.Context, _ int) (time.Duration, error) {
	if until, ok := ctx.Deadline(); ok {
		return time.Until(until), nil
	}
	return 0, nil
})

// TestDeadline: a deadline reaches the task as what is left of it when the call
// leaves, on every way that a call can take.
func TestDeadline(t *testing.T) {
	leaveNothing(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	check := func(way string, d time.Duration, err error) {
		t.Helper()
		if err != nil || d < time.Minute || d > time.Hour {
			t.Errorf("%s: %v left of an hour, %v", way, d, err)
		}
	}
	h, err := process.Start(ctx, process.Config{}, left, 0)
	if err != nil {
		t.Fatal(err)
	}
	d, err := h.Wait(t.Context())
	check("Start", d, err)
	for _, transport := range []process.Transport{process.Auto, process.Sockets} {
		pool := &process.Pool{Workers: 1, Transport: transport}
		closing(t, pool)
		d, err := left.On(pool).Call(ctx, 0)
		check(transport.String()+", Call", d, err)
		d, err = left.On(pool).Go(ctx, 0).Wait(t.Context())
		check(transport.String()+", Go", d, err)
		ds, err := left.On(pool).All(ctx, []int{0})
		check(transport.String()+", All", ds[0], err)
		if d, err := left.On(pool).Call(t.Context(), 0); d != 0 || err != nil {
			t.Errorf("%v: %v left without a deadline, %v", transport, d, err)
		}
	}
}
