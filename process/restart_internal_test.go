package process

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

// TestRestartIntensity: so many restarts within so long, ever later, then broken by
// the first cause of those that count.
func TestRestartIntensity(t *testing.T) {
	s := newSupervision("it", Restart{Max: 3, Within: time.Minute, Backoff: time.Second})
	if pause, after, err := s.next(); pause != 0 || after != nil || err != nil {
		t.Fatalf("the first start: pause %v, after %v, %v", pause, after, err)
	}
	end := func(at time.Duration, n int) { s.note(at, fmt.Errorf("cause %d", n), false) }
	for i, want := range []time.Duration{0, time.Second, 2 * time.Second} {
		end(time.Duration(i)*time.Second, i)
		pause, after, err := s.next()
		if pause != want || err != nil || after.Error() != fmt.Sprint("cause ", i) {
			t.Errorf("restart %d: pause %v, after %v, %v; want a pause of %v", i+1, pause, after, err, want)
		}
	}
	end(61*time.Second, 3) // the first two no longer count
	if pause, _, err := s.next(); pause != time.Second || err != nil {
		t.Errorf("a minute later: pause %v, %v", pause, err)
	}
	end(61*time.Second, 4)
	if _, _, err := s.next(); err != nil {
		t.Errorf("third within the minute: %v", err)
	}
	end(61500*time.Millisecond, 5)
	if _, _, err := s.next(); err == nil || !strings.Contains(err.Error(), "cause 2") || !strings.Contains(err.Error(), "4 times") {
		t.Errorf("fourth within the minute: %v, want broken, by cause 2", err)
	}
}

func TestRestartWhen(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		when      When
		well, yes bool
		is        error
	}{
		{Always, false, true, nil}, {Always, true, true, nil},
		{OnFailure, false, true, nil}, {OnFailure, true, false, tandem.ErrClosed},
		{Never, false, false, cause}, {Never, true, false, cause},
	} {
		s := newSupervision("it", Restart{When: c.when})
		s.note(0, cause, c.well)
		if _, _, err := s.next(); (err == nil) != c.yes || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("When %d after an end, well %v: %v", c.when, c.well, err)
		}
	}
}

// TestRestartBackoff: it doubles to five seconds, or stays at what is longer.
func TestRestartBackoff(t *testing.T) {
	for _, c := range []struct{ first, last time.Duration }{{0, longestBackoff}, {time.Second, longestBackoff}, {time.Minute, time.Minute}} {
		s := newSupervision("it", Restart{Max: 1000, Within: time.Hour, Backoff: c.first})
		var last time.Duration
		for i := range 900 {
			s.note(0, errors.New("cause"), false)
			pause, _, err := s.next()
			if err != nil || pause < last {
				t.Fatalf("restart %d: pause %v after %v, %v", i, pause, last, err)
			}
			last = pause
		}
		if last != c.last {
			t.Errorf("Backoff %v grows to %v, want %v", c.first, last, c.last)
		}
	}
}
