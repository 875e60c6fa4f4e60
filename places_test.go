package tandem_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

func TestCPUs(t *testing.T) {
	if n := tandem.CPUs(); n < 1 || n > runtime.NumCPU() {
		t.Errorf("%d usable CPUs of %d", n, runtime.NumCPU())
	}
	if got := tandem.Goroutines(0).Width(); got != tandem.CPUs() {
		t.Errorf("Goroutines(0) is %d wide, want CPUs() = %d", got, tandem.CPUs())
	}
	if text := panicOf(func() { tandem.Goroutines(-1) }); !strings.Contains(text, "negative") {
		t.Errorf("Goroutines(-1): panic %q", text)
	}
}

var goexits = tandem.NewTask("goexits", func(context.Context, int) (int, error) { runtime.Goexit(); return 1, nil })

// Inline runs in the caller's goroutine, so Goexit ends that one, and no other.
func TestGoexitInline(t *testing.T) {
	after := make(chan bool, 1)
	go func() {
		defer close(after)
		goexits.On(nil).Call(context.Background(), 0)
		after <- true
	}()
	if <-after {
		t.Error("a caller went on after its goroutine was ended")
	}
	outs, err := goexits.On(nil).All(t.Context(), make([]int, 3))
	var p *tandem.PanicError
	if len(outs) != 3 || !errors.As(err, &p) || strings.Count(err.Error(), "Goexit") != 3 {
		t.Errorf("All: %v, %v; want each input to fail by itself", outs, err)
	}
}

func TestLimits(t *testing.T) {
	own := tandem.Limits{Time: 1, Grace: -1}
	if got, want := own.Or(tandem.Limits{Time: 2, CPU: 6, Grace: 3, Memory: 4, Output: 5}), (tandem.Limits{Time: 1, CPU: 6, Grace: -1, Memory: 4, Output: 5}); got != want {
		t.Errorf("Or: %+v, want %+v", got, want)
	}
	for grace, want := range map[time.Duration]time.Duration{0: time.Second, -1: 0, 5: 5} {
		if got := (tandem.Limits{Grace: grace}).GraceTime(); got != want {
			t.Errorf("grace %v means %v, want %v", grace, got, want)
		}
	}
	if err := (tandem.Limits{Grace: -1, Memory: tandem.MinMemory, Time: 1, Output: 1}).Check(); err != nil {
		t.Errorf("sensible limits: %v", err)
	}
}

func TestMeta(t *testing.T) {
	if m := tandem.MetaOf(t.Context()); m != nil {
		t.Errorf("a context without meta has %v", m)
	}
	given := tandem.Meta{"a": "1"}
	first := tandem.WithMeta(t.Context(), given)
	second := tandem.WithMeta(first, tandem.Meta{"a": "2", "b": "3"})
	given["a"] = "changed"
	if got := fmt.Sprint(tandem.MetaOf(first), tandem.MetaOf(second)); got != "map[a:1] map[a:2 b:3]" {
		t.Errorf("metas %s: each context keeps its own", got)
	}
}

func TestCompletedNil(t *testing.T) {
	text := panicOf(func() {
		for range tandem.Completed(t.Context(), twin.On(nil).Go(t.Context(), 1), nil) {
		}
	})
	if text == "" {
		t.Error("a nil Waiter must panic here, where the program can see why, and not in another goroutine")
	}
	for range tandem.Completed(t.Context()) {
		t.Error("nothing to wait for, and something was yielded")
	}
}

// TestErrorTexts: what a log will show.
func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&tandem.PanicError{Value: "v", Stack: []byte("long")}, "tandem: task panicked: v"},
		{&tandem.CrashError{Task: "p.t", PID: 7, Reason: "stack overflow"}, "tandem: p.t: worker 7 died: stack overflow"},
		{&tandem.CrashError{Task: "p.t", PID: 7, Reason: "exit status 1", Attempt: 2, Stderr: []string{"a", "no disk"}}, "tandem: p.t: worker 7 died: exit status 1, in attempt 2; its last line: no disk"},
		{&tandem.CrashError{Task: "p.t", PID: 7, Reason: "stack overflow", Attempt: 1, Stderr: []string{"goroutine 7"}, Report: "goroutine 7"}, "tandem: p.t: worker 7 died: stack overflow"},
		{&tandem.CrashError{Task: "p.t", PID: 7, Reason: "killed", Collateral: true}, "tandem: p.t: worker 7 died: killed (because of another task in it)"},
		{&tandem.ItemError{Index: 4, Err: tandem.ErrTimeout}, "input 4: time limit exceeded"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
	if !errors.Is(&tandem.CrashError{Err: tandem.ErrMemory}, tandem.ErrMemory) {
		t.Error("ErrMemory is not found in a CrashError")
	}
}
