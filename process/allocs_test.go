package process_test

import (
	"math"
	"testing"
	"time"

	"github.com/tandem-go/tandem/process"
)

// TestCallAllocations: a call without pointers allocates nothing here, if its outcome
// comes while it looks awake.
// Through a socket, where it is watched from the start, it takes what
// context.AfterFunc does.
func TestCallAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops what sync.Pool keeps")
	}
	for _, c := range []struct {
		transport process.Transport
		most      float64
	}{{process.Auto, 0}, {process.Sockets, 3}} {
		t.Run(c.transport.String(), func(t *testing.T) {
			pool := &process.Pool{Workers: 1, Transport: c.transport}
			closing(t, pool)
			ctx := t.Context()
			// What a call itself allocates, it allocates in each round; one that has to
			// sleep because others have the processors is watched besides, so there may
			// have to be many rounds until one is quiet.
			per := math.Inf(1)
			for begun := time.Now(); per > c.most && time.Since(begun) < 10*time.Second; {
				per = min(per, testing.AllocsPerRun(50, func() {
					if got, err := double.On(pool).Call(ctx, 21); got != 42 || err != nil {
						t.Fatal(got, err)
					}
				}))
			}
			if per > c.most {
				t.Errorf("%v allocations for each call, want at most %v", per, c.most)
			}
		})
	}
}
