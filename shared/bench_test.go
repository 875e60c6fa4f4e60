//go:build linux

package shared_test

import (
	"context"
	"sync"
	"testing"

	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// BenchmarkFree is a Mutex that nobody else wants, beside the one of package sync, whose
// cost is that of two locked instructions: it is the floor.
func BenchmarkFree(b *testing.B) {
	b.Run("Mutex", func(b *testing.B) {
		m := open[*shared.Mutex](b)(shared.NewMutex())
		b.ReportAllocs()
		for b.Loop() {
			m.Lock(background)
			m.Unlock()
		}
	})
	b.Run("sync.Mutex", func(b *testing.B) {
		var m sync.Mutex
		for b.Loop() {
			m.Lock()
			m.Unlock()
		}
	})
}

// BenchmarkAlone is what each thing costs where nobody else wants it.
func BenchmarkAlone(b *testing.B) {
	e, s, g, o, one, rw := newEvent(b), newSemaphore(b, 1), newGroup(b), newOnce(b), newBarrier(b, 1), newRWMutex(b)
	c := newCond(b)
	nothing := func() error { return nil }
	o.Do(background, nothing)
	for _, x := range []struct {
		name string
		f    func()
	}{
		{"Mutex", func() { c.Lock.Lock(background); c.Lock.Unlock() }},
		{"RWMutex-read", func() { rw.RLock(background); rw.RUnlock() }},
		{"RWMutex-write", func() { rw.Lock(background); rw.Unlock() }},
		{"Semaphore", func() { s.Acquire(background); s.Release() }},
		{"Event.IsSet", func() { e.IsSet() }},
		{"WaitGroup", func() { g.Add(1); g.Done() }},
		{"Once", func() { o.Do(background, nothing) }},
		{"Barrier-of-1", func() { one.Wait(background) }},
		{"Cond.Signal", func() { c.Cond.Signal() }},
	} {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.f()
			}
		})
	}
}

var (
	_ = scene("answer", func(ctx context.Context, c cast) (n int, err error) {
		for ; ; n++ {
			if err := c.Event.Wait(ctx); err != nil {
				return n, nil
			}
			c.Event.Clear()
			c.Ready.Set()
		}
	})
	_ = scene("meet until the end", func(ctx context.Context, c cast) (n int, err error) {
		for err == nil {
			_, err = c.Meet.Wait(ctx)
		}
		return 0, nil
	})
)

// BenchmarkBetweenProcesses is what it costs to wait for another process.
func BenchmarkBetweenProcesses(b *testing.B) {
	with := func(b *testing.B, c cast, f func()) {
		ctx, cancel := context.WithCancel(background)
		h, err := process.Start(ctx, process.Config{}, act, c)
		if err != nil {
			b.Fatal(err)
		}
		f() // it has come
		for b.Loop() {
			f()
		}
		cancel()
		<-h.Done()
	}
	b.Run("Event-there-and-back", func(b *testing.B) {
		c := cast{Role: "answer", Event: newEvent(b), Ready: newEvent(b)}
		with(b, c, func() { c.Event.Set(); c.Ready.Wait(background); c.Ready.Clear() })
	})
	b.Run("Barrier-of-2", func(b *testing.B) {
		c := cast{Role: "meet until the end", Meet: newBarrier(b, 2)}
		with(b, c, func() { c.Meet.Wait(background) })
	})
}
