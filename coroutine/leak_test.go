package coroutine_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/coroutine"
)

// noLeak fails the test if it leaves goroutines behind, suspended coroutines
// among them. Every test that is not in a synctest bubble, which checks that
// itself, begins with it.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("%d goroutines before the test, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
			}
			runtime.Gosched()
		}
	})
}

// run runs main and fails the test if Run returns an error.
func run(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	if err := coroutine.Run(t.Context(), main); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// panicOf returns what f panics with, as text; "" if it does not.
func panicOf(f func()) (text string) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case string:
			text = v
		case error:
			text = v.Error()
		default:
			text = "a panic that is neither text nor error"
		}
	}()
	f()
	return ""
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s: got %q, want it to contain %q", what, got, want)
	}
}
