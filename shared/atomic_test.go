//go:build linux

package shared_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/shared"
)

func newAtomic[T shared.Number](t testing.TB, v T) *shared.Atomic[T] {
	return open[*shared.Atomic[T]](t)(shared.NewAtomic(v))
}

func TestAtomicSteps(t *testing.T) {
	steps(t, -5, math.MaxInt, math.MinInt)
	steps[int32](t, -5, math.MaxInt32, math.MinInt32)
	steps[int64](t, -5, math.MaxInt64, math.MinInt64)
	steps[uint](t, 5, math.MaxUint, 0)
	steps[uint32](t, 5, math.MaxUint32, 0)
	steps[uint64](t, 5, math.MaxUint64, 0)
	steps[float32](t, -0.5, math.MaxFloat32, math.MaxFloat32)
	steps(t, -0.5, math.MaxFloat64, math.MaxFloat64)
	steps(t, -time.Second, math.MaxInt64, math.MinInt64)
}

// steps takes them all on v; overflow is most+1.
func steps[T shared.Number](t *testing.T, v, most, overflow T) {
	a := newAtomic(t, v)
	b, err := travel(a)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got := b.Load(); got != v {
		t.Errorf("%T: NewAtomic(%v) holds %v", v, v, got)
	}
	a.Store(most)
	if sum := b.Add(1); sum != overflow || a.Load() != overflow {
		t.Errorf("%T: %v+1 is %v, then %v", v, most, sum, a.Load())
	}
	if old := a.Swap(v); old != overflow || b.Load() != v {
		t.Errorf("%T: Swap returned %v, then it is %v", v, old, b.Load())
	}
	if a.CompareAndSwap(overflow, 9) || b.Load() != v {
		t.Errorf("%T: CompareAndSwap of what it is not", v)
	}
	if !a.CompareAndSwap(v, 9) || b.Load() != 9 {
		t.Errorf("%T: CompareAndSwap left %v", v, b.Load())
	}
	if sum := a.Add(v - v - 2); sum != 7 {
		t.Errorf("%T: 9-2 is %v", v, sum)
	}
}

// TestAtomicClosed: it says so, and one handle's Close does not reach another.
func TestAtomicClosed(t *testing.T) {
	was := newAtomic(t, 3)
	other, err := travel(was)
	if err != nil {
		t.Fatal(err)
	}
	was.Close()
	if n := other.Add(1); n != 4 {
		t.Errorf("one handle's Close reached another: %d", n)
	}
	if err := other.SetHandles(nil, nil); err == nil {
		t.Error("decoded from nothing")
	}
	other.Close()
	for name, a := range map[string]*shared.Atomic[int]{"zero": {}, "closed": was} {
		for what, step := range map[string]func(){
			"Load": func() { a.Load() }, "Store": func() { a.Store(1) }, "Add": func() { a.Add(1) },
			"Swap": func() { a.Swap(1) }, "CompareAndSwap": func() { a.CompareAndSwap(0, 1) },
		} {
			func() {
				defer func() {
					if v, _ := recover().(string); !strings.Contains(v, "NewAtomic") {
						t.Errorf("%s of a %s Atomic: panic %q", what, name, v)
					}
				}()
				step()
			}()
		}
		if _, err := travel(a); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("a %s Atomic travelled: %v", name, err)
		}
	}
}

// TestAtomicCloseWhileUsed: a step at the time of Close is lost, and no fault.
func TestAtomicCloseWhileUsed(t *testing.T) {
	for range 50 {
		a := newAtomic(t, 0)
		var begun, over sync.WaitGroup
		begun.Add(4)
		for range 4 {
			over.Go(func() {
				defer func() { recover() }() // says that it is closed
				a.Add(1)
				begun.Done()
				for {
					a.Add(1)
				}
			})
		}
		begun.Wait()
		a.Close()
		over.Wait()
	}
}

// TestAtomicOrders: what was written before a step is there for who saw the step. A
// race build of this test knows it, also through two handles.
func TestAtomicOrders(t *testing.T) {
	a := newAtomic(t, 0)
	b, err := travel(a)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	data := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for b.Load() == 0 {
			runtime.Gosched()
		}
		if data != 7 {
			t.Errorf("the data is %d", data)
		}
	})
	data = 7
	a.Store(1)
	wg.Wait()
}

var _ = scene("count in steps", func(ctx context.Context, c cast) (int, error) {
	for range c.N {
		c.Num.Add(1)
		c.Sum.Add(0.5)
	}
	return 0, nil
})

func TestAtomicCounts(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		n, sum := newAtomic[int64](t, 0), newAtomic(t, 0.0)
		waitAll(t, all(soon(t), place, 4, cast{Role: "count in steps", N: 20_000, Num: n, Sum: sum}))
		if n.Load() != 80_000 || sum.Load() != 40_000 {
			t.Errorf("counted %d and %v", n.Load(), sum.Load())
		}
	})
}

func BenchmarkAtomic(b *testing.B) {
	a, f, s := newAtomic[int64](b, 0), newAtomic(b, 0.0), newSlice[int64](b, 1000)
	p, err := s.Slice()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Unpin()
	var rival atomic.Int64
	for _, x := range []struct {
		name string
		f    func()
	}{
		{"Load", func() { a.Load() }},
		{"Store", func() { a.Store(1) }},
		{"Add", func() { a.Add(1) }},
		{"CompareAndSwap", func() { a.CompareAndSwap(0, 0) }},
		{"Add-float", func() { f.Add(1) }},
		{"sync-Add", func() { rival.Add(1) }},
		{"Slice-element", func() { atomic.AddInt64(&p[7], 1) }},
		{"Slice-View", func() { s.View(func(p []int64) error { p[7]++; return nil }) }},
		{"Slice-Update", func() { s.Update(background, func(p []int64) error { p[7]++; return nil }) }},
	} {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.f()
			}
		})
	}
}
