package process_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestSentSIGSEGV: a signal of that name that somebody sends is no want of memory, though
// the Go runtime dies of it in its own code.
func TestSentSIGSEGV(t *testing.T) {
	if raceEnabled {
		t.Skip("a race build has no limit of memory")
	}
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Memory: 128 << 20}, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	for range 5 {
		pid, err := getpid.On(pool).Call(t.Context(), struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		s := newStarts(t)
		call := workOnce.On(pool).Go(t.Context(), work{Starts: s.file, Hang: 1})
		s.await(1)
		eventually(t, "the worker waits", func() bool { return asleep(pid) })
		if err := syscall.Kill(pid, syscall.SIGSEGV); err != nil {
			t.Fatal(err)
		}
		_, err = call.Wait(t.Context())
		if crash, ok := errors.AsType[*tandem.CrashError](err); !ok || errors.Is(err, tandem.ErrMemory) || !strings.Contains(crash.Reason, "SIGSEGV") {
			t.Errorf("%v, want a crash by SIGSEGV", err)
		}
	}
}
