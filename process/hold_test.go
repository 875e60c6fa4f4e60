package process_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// hold is a call that a test holds in its hand: the task reports that it runs and
// stays until it is let go, or its context ends, unless it is deaf.
type hold struct {
	Running, Leave *os.File
	Deaf           bool
}

var holding = tandem.NewTask("holding", func(ctx context.Context, h hold) (int, error) {
	return h.stay(ctx)
})

// holdingAgain may run again when its worker died.
var holdingAgain = tandem.NewTask("holdingAgain", func(ctx context.Context, h hold) (int, error) {
	return h.stay(ctx)
}).Idempotent()

func (h *hold) stay(ctx context.Context) (int, error) {
	defer h.Leave.Close()
	if !h.Deaf {
		defer context.AfterFunc(ctx, func() { h.Leave.SetReadDeadline(time.Now()) })()
	}
	_, err := io.WriteString(h.Running, ".")
	h.Running.Close()
	if err != nil {
		return 0, err
	}
	if _, err := h.Leave.Read(make([]byte, 1)); err != nil && err != io.EOF {
		return 0, ctx.Err()
	}
	return os.Getpid(), nil
}

// grip is the test's side of a hold.
type grip struct {
	t     *testing.T
	arg   hold
	wait  *os.File // a dot for each start
	leave *os.File
}

func newGrip(t *testing.T) *grip {
	t.Helper()
	g := &grip{t: t}
	var err error
	if g.wait, g.arg.Running, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	if g.arg.Leave, g.leave, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range []*os.File{g.wait, g.arg.Running, g.arg.Leave, g.leave} {
			f.Close()
		}
	})
	return g
}

func (g *grip) deaf() *grip {
	g.arg.Deaf = true
	return g
}

// running waits until the task runs.
func (g *grip) running() *grip {
	g.t.Helper()
	g.wait.SetReadDeadline(time.Now().Add(patience))
	if _, err := g.wait.Read(make([]byte, 1)); err != nil {
		g.t.Fatalf("the task did not begin: %v", err)
	}
	return g
}

// waiting checks that the task has not begun.
func (g *grip) waiting() {
	g.t.Helper()
	g.wait.SetReadDeadline(time.Now())
	if n, _ := g.wait.Read(make([]byte, 1)); n > 0 {
		g.t.Error("the task has begun")
	}
}

// release lets the task go.
func (g *grip) release() { g.leave.Close() }
