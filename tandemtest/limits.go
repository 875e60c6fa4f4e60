package tandemtest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tandem-go/tandem"
)

// eat takes memory until somebody minds, and returns how many MiB it got.
var eat = tandem.NewTask("eat", func(_ context.Context, mib int) (int, error) {
	var held [][]byte
	for range mib {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
	}
	return len(held), nil
})

var limitCases = []testCase{
	{"nonsense", func(s *suite) {
		for _, l := range []tandem.Limits{{Time: -1}, {CPU: -1}, {Memory: -1}, {Output: -1}} {
			_, err := double.On(s.place).Limit(l).Call(s.context(), 1)
			if err == nil || !strings.Contains(err.Error(), "negative") {
				s.Errorf("%+v: got %v, want an error that says negative", l, err)
			}
		}
		_, err := double.On(s.place).Limit(tandem.Limits{Memory: tandem.MinMemory - 1}).Call(s.context(), 1)
		if !errors.Is(err, errors.ErrUnsupported) {
			s.Errorf("memory below MinMemory: got %v, want ErrUnsupported", err)
		}
		s.alive()
	}},
	{"none", func(s *suite) {
		if got, err := double.On(s.place).Limit(tandem.Limits{Grace: -1}).Call(s.context(), 4); got != 8 || err != nil {
			s.Errorf("got %v, %v; want 8", got, err)
		}
	}},
	{"output", func(s *suite) {
		small := reverse.On(s.place).Limit(tandem.Limits{Output: 1000})
		if got, err := small.Call(s.context(), make([]byte, 900)); len(got) != 900 || err != nil {
			s.Errorf("900 bytes: got %d, %v", len(got), err)
		}
		if got, err := small.Call(s.context(), make([]byte, 1001)); got != nil || !errors.Is(err, tandem.ErrTooLarge) {
			s.Errorf("1001 bytes: got %d, %v; want ErrTooLarge", len(got), err)
		}
		if _, err := small.Call(s.context(), make([]byte, 4<<20)); !errors.Is(err, tandem.ErrTooLarge) {
			s.Errorf("4 MiB: got %v, want ErrTooLarge", err)
		}
		s.alive()
	}},
	{"time", func(s *suite) {
		v := s.gate.visit("limited")
		_, err := visiting.On(s.place).Limit(tandem.Limits{Time: 50 * time.Millisecond}).Call(s.context(), v)
		if !s.has.HardStop {
			s.refused(err, "Limits.Time")
			s.gate.nobody("although its limit cannot be kept")
			return
		}
		var slow interface{ Timeout() bool }
		if !errors.Is(err, tandem.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &slow) || !slow.Timeout() {
			s.Errorf("got %v, want ErrTimeout, which is a timeout and not DeadlineExceeded", err)
		}
		s.gate.ended(s.gate.next())
		s.alive()
	}},
	{"memory of a call", func(s *suite) {
		got, err := eat.On(s.place).Limit(tandem.Limits{Memory: 128 << 20}).Call(s.context(), 1024)
		if !s.has.CallMemory {
			s.refused(err, "Limits.Memory")
			return
		}
		var crash *tandem.CrashError
		if !errors.Is(err, tandem.ErrMemory) || !errors.As(err, &crash) {
			s.Errorf("1 GiB under 128 MiB: got %d, %v; want a *CrashError with ErrMemory", got, err)
		}
		// The next call has no such limit, and neither has the one after it.
		if got, err := eat.On(s.place).Call(s.context(), 256); got != 256 || err != nil {
			s.Errorf("without a limit: got %d, %v", got, err)
		}
		if got, err := eat.On(s.place).Limit(tandem.Limits{Memory: 512 << 20}).Call(s.context(), 16); got != 16 || err != nil {
			s.Errorf("16 MiB under 512 MiB: got %d, %v", got, err)
		}
		if got, err := eat.On(s.place).Call(s.context(), 600); got != 600 || err != nil {
			s.Errorf("600 MiB without a limit, after a call with one: got %d, %v", got, err)
		}
	}},
}

// refused checks the error of something that the place cannot do.
func (s *suite) refused(err error, what string) {
	s.Helper()
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), what) {
		s.Errorf("got %v, want an error that is errors.ErrUnsupported and names %s", err, what)
	}
	s.alive()
}
