package tandem_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem"
)

// TestSequenceOfALoopThatEnds: the sequence is not asked for more when the loop has
// been left or its context has ended, though the window has room.
func TestSequenceOfALoopThatEnds(t *testing.T) {
	for _, leave := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			read := 0
			for range inc.On(tandem.Inline).Window(100).Map(ctx, func(yield func(int) bool) {
				for more := true; more && read < 50; time.Sleep(time.Second) {
					more = yield(read)
					read++
				}
			}) {
				if leave {
					break
				}
				cancel()
			}
			if read != 2 { // one before the end, and the one that it was in
				t.Errorf("left: %v; %d inputs were read, want 2", leave, read)
			}
		})
	}
}

// ends is a place whose RunBatch ends its goroutine, after it has taken and settled so
// many inputs.
type ends struct {
	tandem.Runner
	takes, settles int
}

func (p ends) RunBatch(_ context.Context, b *tandem.Batch) {
	for i := range p.takes {
		if c := b.Next(1); i < p.settles {
			c.Settle(0, nil)
		}
	}
	runtime.Goexit()
}

// TestPlaceThatEnds: nobody takes what is read any more, and the loop does not wait for
// it; nor does it look as if the sequence had come to its end.
func TestPlaceThatEnds(t *testing.T) {
	for _, place := range []ends{{tandem.Inline, 0, 0}, {tandem.Inline, 1, 0}, {tandem.Inline, 1, 1}, {tandem.Inline, 2, 1}} {
		synctest.Test(t, func(t *testing.T) {
			text := panicOf(func() {
				for range inc.On(place).Window(2).Map(t.Context(), func(yield func(int) bool) {
					for i := 0; yield(i); i++ {
					}
				}) {
				}
			})
			if !strings.Contains(text, "the place has left") {
				t.Errorf("%d taken, %d settled: panic %q", place.takes, place.settles, text)
			}
		})
	}
}

// TestAllKeepsValues: a value is a value for All too, if the task ends with it after the
// context has ended.
func TestAllKeepsValues(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	place := takes{tandem.Inline, 1, func(c *tandem.Chunk) {
		cancel(cause)
		c.Settle(0, c.Job(0).Invoke(ctx))
	}}
	outs, err := inc.On(place).All(ctx, []int{1, 2, 3})
	if got := fmt.Sprint(outs, strings.Count(fmt.Sprint(err), "input ")); got != "[2 0 0] 2" || !errors.Is(err, cause) {
		t.Errorf("got %v, %v; want the value of the first, and two failures", outs, err)
	}
}
