//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/shared"
)

func newSlice[T any](t testing.TB, n int) *shared.Slice[T] {
	return open[*shared.Slice[T]](t)(shared.NewSlice[T](n))
}

func TestSliceElements(t *testing.T) {
	for _, n := range []int{0, 1, 3, 512, 70_001} {
		want := make([]pair, n)
		for i := range want {
			want[i].A[3], want[i].B[7] = int64(i), int64(-i)
		}
		s := open[*shared.Slice[pair]](t)(shared.NewSliceOf(want))
		other, err := travel(s)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		for what, look := range map[string]func(func([]pair) error) error{
			"View":   other.View,
			"Update": func(f func([]pair) error) error { return other.Update(background, f) },
		} {
			err := look(func(p []pair) error {
				if !slices.Equal(p, want) || cap(p) != n || other.Len() != n {
					t.Errorf("%s: %d elements, room for %d, want the %d that were put in", what, len(p), cap(p), n)
				}
				return errCause
			})
			if err != errCause {
				t.Errorf("%s = %v", what, err)
			}
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := newSlice[struct{}](t, 7).Len(); n != 7 {
		t.Errorf("7 elements without size are %d", n)
	}
	for _, n := range []int{-1, math.MaxInt / 4, 1 << 50} {
		if _, err := shared.NewSlice[int64](n); err == nil {
			t.Errorf("%d elements were accepted", n)
		}
	}
	if _, err := shared.NewSlice[struct{ Name string }](1); err == nil || !strings.Contains(err.Error(), "field Name") {
		t.Errorf("elements with a pointer: %v", err)
	}
}

// TestSliceUpdate: what an Update did stays, and it always gives the lock back.
func TestSliceUpdate(t *testing.T) {
	s := newSlice[int](t, 2)
	ended, cancel := cancelled()
	defer cancel()
	if err := s.Update(ended, func(p []int) error { p[0] = 1; return errCause }); err != errCause {
		t.Errorf("Update = %v", err)
	}
	func() {
		defer func() { recover() }()
		s.Update(ended, func(p []int) error { p[1] = 2; panic("boom") })
	}()
	err := s.Update(ended, func(p []int) error {
		if !slices.Equal(p, []int{1, 2}) {
			t.Errorf("the elements are %d", p)
		}
		never := func([]int) error { t.Error("two are in an Update"); return nil }
		if err := s.Update(ended, never); err != errCause {
			t.Errorf("Update of one that is held, with an ended context: %v", err)
		}
		if err := s.Update(nil, never); err == nil || !strings.Contains(err.Error(), "context is nil") {
			t.Errorf("Update of one that is held, without a context: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	never := func([]int, *shared.OwnerDiedError) error { t.Error("ran"); return nil }
	if err := errors.Join(s.Repair(background, never), s.Update(ended, func([]int) error { return nil })); err != nil {
		t.Errorf("a Repair of what is whole: %v", err)
	}
	if err := s.Repair(nil, never); err == nil {
		t.Error("Repair took a nil context")
	}
}

// TestSliceClose: who is inside stays undisturbed, who waits or comes later is told.
func TestSliceClose(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 })
	s := newSlice[int](t, 1000)
	pinned, err := s.Slice()
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 2)
	err = s.Update(background, func(p []int) error {
		go func() { waiting <- s.Update(soon(t), func([]int) error { t.Error("ran"); return nil }) }()
		go func() {
			waiting <- s.Repair(soon(t), func([]int, *shared.OwnerDiedError) error { t.Error("ran"); return nil })
		}()
		until(t, "two wait", func() bool { return s.Pins() == 4 })
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-waiting; !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("who waits at Close: %v", err)
			}
		}
		p[999] = 7
		return nil
	})
	if err != nil || pinned[999] != 7 || segments(t) == 0 {
		t.Errorf("Close disturbed who was inside: %v, %d", err, pinned[999])
	}
	s.Unpin()
	if segments(t) != 0 || countFiles(t) != 0 {
		t.Error("something is left after the last pin")
	}
	for name, s := range map[string]*shared.Slice[int]{"zero": {}, "closed": s} {
		nothing := func([]int) error { t.Error("ran"); return nil }
		_, slice := s.Slice()
		_, travel := travel(s)
		for what, err := range map[string]error{
			"Update": s.Update(background, nothing), "View": s.View(nothing), "Slice": slice, "travel": travel,
			"Repair": s.Repair(background, func([]int, *shared.OwnerDiedError) error { return nothing(nil) }),
		} {
			if !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("%s of a %s Slice: %v", what, name, err)
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Unpin of a %s Slice without Slice: no panic", name)
				}
			}()
			s.Unpin()
		}()
	}
}

// TestSliceNothingLeft: forgotten handles go with the collector, and not while
// somebody waits in one.
func TestSliceNothingLeft(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 && countFiles(t) == 0 })
	for range 50 {
		s, err := shared.NewSlice[int](10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := travel(s); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, "segments and descriptors go", func() bool { return segments(t) == 0 && countFiles(t) == 0 })
}

// TestSliceOtherType: a Slice comes out as what it went in, or not at all.
func TestSliceOtherType(t *testing.T) {
	s, in := newSlice[int32](t, 10), newThings(t)
	size := func(n uint64) []byte { return binary.LittleEndian.AppendUint64([]byte{0}, n) }
	type travels interface {
		AppendHandles([]byte, *tandem.Handles) ([]byte, error)
	}
	for name, c := range map[string]struct {
		src   []byte
		thing travels
		fits  bool
	}{
		"nothing":         {nil, s, false},
		"no size":         {[]byte{0}, s, false},
		"one more":        {size((4096-128)/4 + 1), s, false},
		"far too large":   {size(math.MaxUint64), s, false},
		"negative":        {size(1 << 63), s, false},
		"overflow":        {size(1 << 62), s, false},
		"the whole of it": {size((4096 - 128) / 4), s, true}, // is no harm: the memory is there
		"a value's":       {size(1), in.Count, false},
		"other elements":  {size(1), newSlice[uint32](t, 10), false},
		"a buffer's":      {size(1), newBuffer(t, 10), false},
	} {
		var near, far codec.Handles
		if _, err := c.thing.AppendHandles(nil, &near); err != nil {
			t.Fatal(err)
		}
		if err := far.Duplicate(&near); err != nil {
			t.Fatal(err)
		}
		out := new(shared.Slice[int32])
		if err := out.SetHandles(c.src, &far); (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
		far.Close()
		out.Close()
	}
}

// TestUpdateOrders: what goroutines do to the heap under the lock of a Value or a
// Slice is in order, and a race build of this test knows it.
func TestUpdateOrders(t *testing.T) {
	v, s := newThings(t).Count, newSlice[int](t, 1)
	byValue, bySlice := 0, 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				err := v.Update(background, func(n *int) error { *n++; byValue++; return nil })
				if err = errors.Join(err, s.Update(background, func(p []int) error { p[0]++; bySlice++; return nil })); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if byValue != 2000 || bySlice != 2000 {
		t.Errorf("counted %d and %d", byValue, bySlice)
	}
}

var _ = scene("count elements", func(ctx context.Context, c cast) (int, error) {
	return 0, c.Slice.View(func(p []int64) error {
		for i := range c.N {
			atomic.AddInt64(&p[i%len(p)], 1)
		}
		return nil
	})
})

// TestSliceAtomics: the functions of sync/atomic work on elements between processes.
func TestSliceAtomics(t *testing.T) {
	everywhere(t, 4, func(t *testing.T, place tandem.Runner) {
		s := newSlice[int64](t, 3)
		waitAll(t, all(soon(t), place, 4, cast{Role: "count elements", N: 30_000, Slice: s}))
		s.View(func(p []int64) error {
			if !slices.Equal(p, []int64{40_000, 40_000, 40_000}) {
				t.Errorf("counted %d", p)
			}
			return nil
		})
	})
}

func ExampleSlice() {
	s, err := shared.NewSliceOf([]float64{1, 2, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	s.Update(context.Background(), func(p []float64) error {
		for i := range p {
			p[i] *= 2
		}
		fmt.Println(p)
		return nil
	})
	// Output: [2 4 6]
}
