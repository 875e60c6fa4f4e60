package coroutine_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/tandem-go/tandem/coroutine"
)

// LockOSThread in a coroutine ends the program, as the package comment says.
// If this fails, the Go runtime has changed, and the comment should.
func TestLockOSThreadIsFatal(t *testing.T) {
	const marker = "COROUTINE_TEST_LOCKS"
	if os.Getenv(marker) != "" {
		coroutine.Run(t.Context(), func(ctx context.Context) error {
			runtime.LockOSThread()
			return coroutine.Yield(ctx)
		})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockOSThreadIsFatal$")
	cmd.Env = append(os.Environ(), marker+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the program went on")
	}
	wantText(t, "output", string(out), "coro: OS thread locking must match locking at coroutine creation")
}
