package tandem_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-go/tandem"
)

var (
	fragile = tandem.NewTask("fragile", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	sturdy  = tandem.NewTask("sturdy", func(_ context.Context, n int) (int, error) { return n + 1, nil }).Idempotent()
)

// script is a place whose calls end as is written, one after the other, and then well.
type script struct {
	ends  []error
	began []time.Time
	asked bool // it is asked to admit calls, and ends then as is written
}

func (s *script) Width() int { return 1 }

func (s *script) next() (err error) {
	s.began = append(s.began, time.Now())
	if len(s.ends) > 0 {
		err, s.ends = s.ends[0], s.ends[1:]
	}
	return err
}

func (s *script) Admit(context.Context, *tandem.Job) (any, error) {
	s.asked = true
	return s, s.next()
}

func (s *script) Run(ctx context.Context, j *tandem.Job) error {
	if j.Ticket() == s {
		return j.Invoke(ctx) // it was admitted; a ticket is for one run
	}
	if err := s.next(); err != nil {
		return err
	}
	return j.Invoke(ctx)
}

// TestRetry: what is tried again, and how often.
func TestRetry(t *testing.T) {
	own := errors.New("its own")
	crash := &tandem.CrashError{Reason: "killed"}
	starved := &tandem.CrashError{Reason: "too much", Err: tandem.ErrMemory}
	poison := fmt.Errorf("%w: %w", tandem.ErrPoison, crash)
	full := fmt.Errorf("full: %w", tandem.ErrQueueFull)
	always := func(error) bool { return true }
	never := func(error) bool { return false }
	for name, c := range map[string]struct {
		task  *tandem.Task[int, int]
		retry tandem.Retry
		ends  []error
		runs  int
		last  error
	}{
		"nothing wrong":            {fragile, tandem.Retry{}, nil, 1, nil},
		"a full queue":             {fragile, tandem.Retry{}, []error{full, full}, 3, nil},
		"a queue that stays full":  {fragile, tandem.Retry{}, []error{full, full, full, full}, 3, full},
		"a death":                  {fragile, tandem.Retry{}, []error{crash}, 1, crash},
		"a death, idempotent":      {sturdy, tandem.Retry{}, []error{crash}, 2, nil},
		"many deaths":              {sturdy, tandem.Retry{Attempts: 5}, []error{crash, crash, crash, crash, crash}, 5, crash},
		"one attempt":              {sturdy, tandem.Retry{Attempts: 1}, []error{crash}, 1, crash},
		"out of memory":            {sturdy, tandem.Retry{}, []error{starved}, 1, starved},
		"poison":                   {sturdy, tandem.Retry{}, []error{poison}, 1, poison},
		"too long":                 {sturdy, tandem.Retry{}, []error{tandem.ErrTimeout}, 1, tandem.ErrTimeout},
		"its own error":            {sturdy, tandem.Retry{}, []error{own}, 1, own},
		"its own, asked":           {sturdy, tandem.Retry{Again: always}, []error{own, own}, 3, nil},
		"its own, not idempotent":  {fragile, tandem.Retry{Again: always}, []error{own}, 1, own},
		"a full queue, not wanted": {fragile, tandem.Retry{Again: never}, []error{full}, 1, full},
		"without a pause":          {sturdy, tandem.Retry{Backoff: -1}, []error{crash, crash}, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for way, call := range map[string]func(tandem.Runner) (int, error){
					"Call": func(r tandem.Runner) (int, error) { return c.task.On(r).Call(t.Context(), 1) },
					"Go":   func(r tandem.Runner) (int, error) { return c.task.On(r).Go(t.Context(), 1).Wait(t.Context()) },
				} {
					place := &script{ends: slices.Clone(c.ends)}
					r := c.retry
					r.Place = place
					v, err := call(r)
					if err != c.last || (err == nil) != (v == 2) {
						t.Errorf("%s: %v, %v; want %v", way, v, err, c.last)
					}
					if len(place.began) != c.runs || place.asked != (way == "Go") {
						t.Errorf("%s: %d attempts, want %d; admitted %v", way, len(place.began), c.runs, place.asked)
					}
				}
			})
		})
	}
}

// TestRetryPauses: the pauses double, and lose up to a half by chance.
func TestRetryPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crash := &tandem.CrashError{}
		shortened := false
		for range 20 {
			place := &script{ends: []error{crash, crash, crash}}
			if _, err := sturdy.On(tandem.Retry{Place: place, Attempts: 4, Backoff: 8 * time.Second}).Call(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			for i, most := range []time.Duration{8 * time.Second, 16 * time.Second, 32 * time.Second} {
				pause := place.began[i+1].Sub(place.began[i])
				if pause > most || pause < most/2 {
					t.Errorf("pause %d lasted %v, want %v or up to a half less", i, pause, most)
				}
				shortened = shortened || pause < most
			}
		}
		if !shortened {
			t.Error("sixty pauses, and chance left out nothing")
		}
	})
}

// TestRetryEnds: the context ends a pause, and one that its deadline forbids is not begun.
func TestRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crash := &tandem.CrashError{Reason: "killed"}
		place := &script{ends: []error{crash, crash}}
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		begin := time.Now()
		_, err := sturdy.On(tandem.Retry{Place: place, Backoff: time.Minute}).Call(ctx, 1)
		if !errors.Is(err, cause) || !errors.Is(err, crash) || time.Since(begin) != time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}

		place = &script{ends: []error{crash, crash}}
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		begin = time.Now()
		_, err = sturdy.On(tandem.Retry{Place: place, Backoff: time.Minute}).Call(ctx, 1)
		if err != error(crash) || time.Since(begin) != 0 {
			t.Errorf("a pause longer than the deadline: %v after %v", err, time.Since(begin))
		}
	})
	if _, err := sturdy.On(tandem.Retry{Attempts: -1}).Call(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "negative") {
		t.Errorf("Attempts -1: %v", err)
	}
	if v, err := sturdy.On(tandem.Retry{}).Call(t.Context(), 1); v != 2 || err != nil {
		t.Errorf("the zero Retry: %v, %v", v, err)
	}
}

// TestRetryBetween: a context that ends between two attempts ends the call, without a
// pause too, and the error is both.
func TestRetryBetween(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause, crash := errors.New("enough"), &tandem.CrashError{Reason: "killed"}
	place := &script{ends: []error{crash}}
	v, err := sturdy.On(tandem.Retry{Place: place, Backoff: -1, Again: func(error) bool {
		cancel(cause)
		return true
	}}).Call(ctx, 1)
	if !errors.Is(err, cause) || !errors.Is(err, crash) || len(place.began) != 1 {
		t.Errorf("%v, %v after %d attempts", v, err, len(place.began))
	}
}

// TestRetryRefuses: a Retry that makes no sense leaves no call with its place, which
// would wait there for its run.
func TestRetryRefuses(t *testing.T) {
	place := new(script)
	if _, err := sturdy.On(tandem.Retry{Place: place, Attempts: -1}).Go(t.Context(), 1).Wait(t.Context()); err == nil || place.asked {
		t.Errorf("%v; the place was asked to admit the call: %v", err, place.asked)
	}
}

// TestRetryInRetry: what the inner one was refused it tries again by itself.
func TestRetryInRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		place := &script{ends: []error{tandem.ErrQueueFull}}
		once := tandem.Retry{Place: tandem.Retry{Place: place}, Attempts: 1}
		if v, err := sturdy.On(once).Go(t.Context(), 1).Wait(t.Context()); v != 2 || err != nil || len(place.began) != 2 {
			t.Errorf("%v, %v after %d attempts, want the value of the second", v, err, len(place.began))
		}
	})
}
