package process_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestStandbyMemory: a limit on memory is kept, whether it holds from the boot on or
// comes with the task.
func TestStandbyMemory(t *testing.T) {
	limit := tandem.Limits{Memory: 128 << 20}
	for name, boot := range map[string]tandem.Limits{"boot": limit, "task": {}} {
		t.Run(name, func(t *testing.T) {
			leaveNothing(t)
			s := &process.Standby{Config: process.Config{Stderr: io.Discard, Limits: boot}}
			if raceEnabled {
				closing(t, s)
				if _, err := process.Start(t.Context(), process.Config{Standby: s, Limits: limit}, dying, "memory"); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("%v; a race build cannot keep it and says so", err)
				}
				return
			}
			cfg := standing(t, s)
			if boot.Memory == 0 {
				cfg.Limits = limit
			}
			for _, how := range []string{"memory", "one allocation"} {
				_, err := began(t, cfg, dying, how).Wait(t.Context())
				var crash *tandem.CrashError
				if !errors.Is(err, tandem.ErrMemory) || !errors.As(err, &crash) || !strings.Contains(crash.Reason, "128 MiB") {
					t.Errorf("%s: %v, want ErrMemory with the limit", how, err)
				}
			}
			if _, err := began(t, cfg, dying, "overflow").Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "stack overflow") {
				t.Errorf("an overflow under a memory limit: %v", err)
			}
			if v, err := began(t, cfg, double, 2).Wait(t.Context()); v != 4 || err != nil {
				t.Errorf("an ordinary task: %v, %v", v, err)
			}
		})
	}
}

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
