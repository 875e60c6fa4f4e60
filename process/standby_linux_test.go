package process_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestStandbyHostile: what a standby does to its parent costs its own task, and the
// next one is as good as ever.
func TestStandbyHostile(t *testing.T) {
	for _, way := range transports() {
		for attack := range attacks {
			t.Run(way.String()+"/"+attack, func(t *testing.T) {
				leaveNothing(t)
				cfg := standing(t, &process.Standby{Transport: way, Config: process.Config{
					Stderr: io.Discard, Limits: tandem.Limits{Grace: 100 * time.Millisecond},
				}})
				h := began(t, cfg, hostile, attack)
				v, err := h.Wait(t.Context())
				if again, err2 := h.Wait(t.Context()); v != again || err != err2 || err != nil && v != 0 {
					t.Errorf("%v, %v, then %v, %v", v, err, again, err2)
				}
				var crash *tandem.CrashError
				if err == nil && v != 1 || err != nil && !errors.As(err, &crash) && !errors.Is(err, tandem.ErrMalformed) {
					t.Errorf("the hostile task: %v, %v", v, err)
				}
				if v, err := began(t, cfg, double, 3).Wait(t.Context()); v != 6 || err != nil {
					t.Errorf("the next task: %v, %v", v, err)
				}
			})
		}
	}
}
