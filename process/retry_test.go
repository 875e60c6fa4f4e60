package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// thirdTime fails until it has been run three times, which it counts in a file. "exit" has
// it end its process until then, and anything else is its error.
var thirdTime = tandem.NewTask("thirdTime", func(_ context.Context, in struct{ File, How string }) (int64, error) {
	f, err := os.OpenFile(in.File, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	f.WriteString(".")
	info, err := f.Stat()
	switch {
	case err != nil || info.Size() >= 3:
		return info.Size(), err
	case in.How == "exit":
		os.Exit(3)
	}
	return 0, errors.New(in.How)
}).Idempotent()

// TestRetry: a pool that costs one worker for each attempt, and a task that fails itself,
// which is tried again if that is asked for.
func TestRetry(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, PoisonAfter: 1}
	closing(t, pool)
	asked := tandem.Retry{Place: pool, Backoff: time.Millisecond, Again: func(err error) bool { return err.Error() == "not yet" }}
	for _, c := range []struct {
		name, how string
		place     tandem.Runner
		runs      int64 // 0: it fails
	}{
		{"its own error", "not yet", tandem.Retry{Place: pool}, 0},
		{"its own error, asked", "not yet", asked, 3},
		{"another error", "never", asked, 0},
		{"poison", "exit", tandem.Retry{Place: pool}, 0}, // the pool takes one death for enough
	} {
		in := struct{ File, How string }{filepath.Join(t.TempDir(), "runs"), c.how}
		if runs, err := thirdTime.On(c.place).Call(t.Context(), in); runs != c.runs || (err == nil) != (c.runs > 0) {
			t.Errorf("%s: %d runs, %v", c.name, runs, err)
		}
	}
}

// TestRetryFull: more calls than a pool takes at a time all get in.
func TestRetryFull(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Queue: 1}
	closing(t, pool)
	patient := tandem.Retry{Place: pool, Attempts: 1 << 20, Backoff: time.Millisecond}
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			if got, err := double.On(patient).Call(t.Context(), i); got != 2*i || err != nil {
				t.Errorf("call %d: %d, %v", i, got, err)
			}
		})
	}
	callers.Wait()
	if s := pool.Stats(); s.Done != 20 {
		t.Errorf("%+v", s)
	}
}
