//go:build linux

package shared_test

import (
	"context"
	"testing"

	"github.com/tandem-go/tandem/shared"
)

// TestFewThreads: a thousand who wait cost few threads, whether they wait for one thing
// or for a thousand, and all of them are woken.
func TestFewThreads(t *testing.T) {
	const many, most = 1000, 10
	type thing struct {
		wait   func(ctx context.Context) error // and gives back what it got
		waits  func() bool
		giveIn func()
	}
	mutex := func() thing {
		m := open[*shared.Mutex](t)(shared.NewMutex())
		m.Lock(background)
		return thing{func(ctx context.Context) error { return m.With(ctx, func() error { return nil }) }, m.Sleeps, m.Unlock}
	}
	event := func() thing {
		e := newEvent(t)
		return thing{e.Wait, func() bool { return e.Waiting() > 0 }, func() { e.Set() }}
	}
	for name, things := range map[string]func() []thing{
		"one Mutex":    func() []thing { return []thing{mutex()} },
		"many Mutexes": func() []thing { return times(many, mutex) },
		"one Event":    func() []thing { return []thing{event()} },
		"many Events":  func() []thing { return times(many, event) },
	} {
		t.Run(name, func(t *testing.T) {
			list := things()
			before := threads(t)
			ctx := soon(t)
			got := make(chan error)
			for i := range many {
				go func() { got <- list[i%len(list)].wait(ctx) }()
			}
			for _, x := range list {
				until(t, "somebody waits for each", x.waits)
			}
			grown := threads(t) - before
			t.Logf("%d who wait brought %d threads", many, grown)
			if grown > most {
				t.Errorf("%d who wait brought %d threads, want at most %d", many, grown, most)
			}
			for _, x := range list {
				x.giveIn()
			}
			for range many {
				if err := <-got; err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func times[T any](n int, f func() T) (list []T) {
	for range n {
		list = append(list, f())
	}
	return list
}
