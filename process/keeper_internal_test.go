package process

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// TestShutInPause: a call that waits for a restart which Close prevents is told so,
// though the keeper hears of it before the calls do.
func TestShutInPause(t *testing.T) {
	y := newYard(t, 1, 1, 0)
	call, err := y.enterAndClaim(want{})
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{supervision: newSupervision("service", Restart{Backoff: time.Hour})}
	for range 2 { // the first restart comes at once
		k.note(0, io.ErrNoProgress, false)
	}
	s := &poolState{pool: &Pool{keeper: k}, assign: y.assignment, shut: make(chan struct{})}
	close(s.shut)
	s.keepers.Add(1)
	s.attend()
	if _, err := y.await(t.Context(), call); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("the call that waited: %v, want ErrClosed", err)
	}
}
