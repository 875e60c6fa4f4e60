package process_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var turns atomic.Int64 // of the worker that counts them

var turn = tandem.NewTask("turn", func(context.Context, int) (int, error) { return int(turns.Add(1)), nil })

// Go has accepted a call when it returns: a worker gets the calls in the order in
// which they were made, and a Shutdown right behind the last one finishes them.
func TestGoIsAccepted(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1}
	closing(t, pool)
	var calls []*tandem.Future[int]
	for i := range 50 {
		calls = append(calls, turn.On(pool).Go(t.Context(), i))
	}
	if err := pool.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, c := range calls {
		if got, err := c.Wait(t.Context()); got != i+1 || err != nil {
			t.Errorf("call %d had turn %d, %v", i+1, got, err)
		}
	}
}
