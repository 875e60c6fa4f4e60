//go:build unix

package process_test

import (
	"errors"
	"io"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestPoisonNotFromOutside: who is killed by somebody else has killed nobody.
func TestPoisonNotFromOutside(t *testing.T) {
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, PoisonAfter: 1, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	for range 3 {
		var crash *tandem.CrashError
		if _, err := dying.On(pool).Call(t.Context(), "kill"); errors.Is(err, tandem.ErrPoison) || !errors.As(err, &crash) {
			t.Errorf("%v, want a CrashError and no ErrPoison", err)
		}
	}
}
