//go:build linux

package shared_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/shared"
)

var background = context.Background()

var errCause = errors.New("cause")

func cancelled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(background)
	cancel(errCause)
	return ctx, func() { cancel(nil) }
}

func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(background, d, errCause)
}

func TestMutexShape(t *testing.T) {
	m := newThings(t).Mutex
	ended, cancel := cancelled()
	defer cancel()
	if err := m.Lock(ended); err != nil {
		t.Errorf("an uncontended Lock looked at its context: %v", err)
	}
	if m.TryLock() {
		t.Error("TryLock took a held lock")
	}
	if err := m.Lock(ended); err != errCause {
		t.Errorf("a contended Lock with an ended context: %v", err)
	}
	if err := m.Lock(nil); err == nil || !strings.Contains(err.Error(), "context is nil") {
		t.Errorf("a contended Lock with a nil context: %v", err)
	}
	m.Unlock()
	if err := m.With(background, func() error { return errCause }); err != errCause {
		t.Errorf("With = %v, want its function's error", err)
	}
	func() {
		defer func() { recover() }()
		m.With(background, func() error { panic("boom") })
	}()
	if !m.TryLock() {
		t.Fatal("With did not give the lock back when its function panicked")
	}
	m.Unlock()
}

func TestMisuse(t *testing.T) {
	open := newThings(t).Mutex
	was := newThings(t).Mutex
	if err := errors.Join(was.Close(), was.Close()); err != nil {
		t.Error(err)
	}
	for name, m := range map[string]*shared.Mutex{"free": open, "zero": {}, "closed": was} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "Unlock of a lock") {
					t.Errorf("Unlock of a %s lock: panic %q", name, v)
				}
			}()
			m.Unlock()
		}()
		if m == open {
			continue
		}
		never := func(*shared.OwnerDiedError) error { t.Error("ran"); return nil }
		for what, err := range map[string]error{
			"Lock": m.Lock(background), "With": m.With(background, func() error { return never(nil) }), "Repair": m.Repair(background, never),
		} {
			if !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("%s of a %s lock: %v", what, name, err)
			}
		}
		if m.TryLock() {
			t.Errorf("TryLock took a %s lock", name)
		}
	}
}

// TestSameLock: what travels is the lock and not a copy, also within a process.
func TestSameLock(t *testing.T) {
	in := newThings(t)
	out, err := travel(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Mutex.Lock(background)
	if out.Mutex == in.Mutex || out.Mutex.TryLock() {
		t.Error("the decoded Mutex is another lock")
	}
	in.Mutex.Unlock()
	in.Count.Store(background, 7)
	if n, err := out.Count.Load(background); n != 7 || err != nil {
		t.Errorf("the decoded Value holds %d, %v", n, err)
	}
	if err := errors.Join(in.Count.Close(), out.Mutex.Close(), out.Pair.Close()); err != nil {
		t.Error(err)
	}
	if n, err := out.Count.Load(background); n != 7 || err != nil {
		t.Errorf("one handle's Close reached another: %d, %v", n, err)
	}
	if _, err := travel(in); !errors.Is(err, tandem.ErrClosed) {
		t.Errorf("a closed Value travelled: %v", err)
	}
	out.Count.Close()
}

// travel encodes and decodes as a process border would: it gives another handle.
func travel[T any](in T) (out T, err error) {
	c, err := codec.Of[T]()
	if err != nil {
		return out, err
	}
	var near, far codec.Handles
	src, err := c.Append(nil, &in, &near)
	if err != nil {
		return out, err
	}
	defer far.Close()
	if err := far.Duplicate(&near); err != nil {
		return out, err
	}
	return out, c.Decode(src, &out, &far)
}

func TestNilHandlesTravel(t *testing.T) {
	if out, err := travel(things{}); err != nil || out != (things{}) {
		t.Errorf("nil pointers: %v, %v", out, err)
	}
}

// TestCloseWhileUsed: Close at any moment is an error for those inside, and
// never a fault.
func TestCloseWhileUsed(t *testing.T) {
	for range 50 {
		v, err := shared.NewValue([64]int64{})
		if err != nil {
			t.Fatal(err)
		}
		var begun sync.WaitGroup
		var wg sync.WaitGroup
		var stop atomic.Bool
		begun.Add(4)
		for range 4 {
			wg.Go(func() {
				first := true
				for !stop.Load() {
					err := v.Update(background, func(a *[64]int64) error {
						for i := range a {
							a[i]++
						}
						return nil
					})
					if err != nil && !errors.Is(err, tandem.ErrClosed) {
						t.Error(err)
					}
					if first {
						first = false
						begun.Done()
					}
					if err != nil {
						return
					}
				}
			})
		}
		begun.Wait()
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		stop.Store(true)
	}
}

// TestCloseMeanwhile: what Load returned was there, and what Store stored stays there, or
// they say that the value was closed, when Close comes at that moment.
func TestCloseMeanwhile(t *testing.T) {
	type large [1 << 15]int64
	var ones large
	for i := range ones {
		ones[i] = 1
	}
	meanwhile := func(v *shared.Value[large], f func() error) error {
		over := make(chan error)
		go func() { over <- f() }()
		toil(make([]int64, ledgerSize), rand.IntN(100))
		v.Close()
		return <-over
	}
	for range 100 {
		v := open[*shared.Value[large]](t)(shared.NewValue(ones))
		var got large
		err := meanwhile(v, func() (err error) { got, err = v.Load(background); return err })
		if err == nil && got != ones {
			t.Error("Load returned what was never there")
		}

		v = open[*shared.Value[large]](t)(shared.NewValue(large{}))
		var near, far codec.Handles
		src, err := v.AppendHandles(nil, &near)
		if err := errors.Join(err, far.Duplicate(&near)); err != nil {
			t.Fatal(err)
		}
		err = meanwhile(v, func() error { return v.Store(background, ones) })
		again := new(shared.Value[large])
		open[*shared.Value[large]](t)(again, again.SetHandles(src, &far))
		if got, e := again.Load(background); err == nil && (got != ones || e != nil) {
			t.Errorf("what was stored is not there: %v", e)
		}
		again.Close()
	}
}

// TestNothingLeft: closed or forgotten, shared things leave no descriptor and no
// mapping.
func TestNothingLeft(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 })
	descriptors := countFiles(t)
	for i := range 100 {
		m, err := shared.NewMutex()
		if err != nil {
			t.Fatal(err)
		}
		v, err := shared.NewValue(i)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			m.Close()
			v.Close()
		}
		if i == 50 { // some were closed, some forgotten
			if n := segments(t); n > 2*51 {
				t.Errorf("%d segments are mapped", n)
			}
		}
	}
	settle(t, "segments go", func() bool { return segments(t) == 0 })
	settle(t, "descriptors go", func() bool { return countFiles(t) <= descriptors })
}

// TestCloseIsPrompt: Close gives memory and descriptor back without the
// collector's help.
func TestCloseIsPrompt(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 })
	descriptors := countFiles(t)
	v, err := shared.NewValue([1 << 20]byte{})
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	if n := segments(t); n != 0 {
		t.Errorf("%d segments mapped after Close", n)
	}
	if n := countFiles(t); n > descriptors {
		t.Errorf("%d descriptors, %d before", n, descriptors)
	}
}

// settle is until, for what only the garbage collector brings about.
func settle(t *testing.T, what string, ok func() bool) {
	t.Helper()
	until(t, what, func() bool { runtime.GC(); return ok() })
}

func segments(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), "/memfd:tandem")
}

func countFiles(t *testing.T) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.Contains(target, "memfd:tandem") {
			n++
		}
	}
	return n
}

func TestHostileHandles(t *testing.T) {
	in := newThings(t)
	plain, err := os.Create(filepath.Join(t.TempDir(), "plain"))
	if err != nil {
		t.Fatal(err)
	}
	segment := func(m interface {
		AppendHandles([]byte, *tandem.Handles) ([]byte, error)
	}) *os.File {
		var near, far codec.Handles
		if _, err := m.AppendHandles(nil, &near); err != nil {
			t.Fatal(err)
		}
		if err := far.Duplicate(&near); err != nil {
			t.Fatal(err)
		}
		f, err := far.Take(0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		name string
		src  []byte
		file *os.File
	}{
		{"no index", nil, segment(in.Mutex)},
		{"two indices", []byte{0, 0}, segment(in.Mutex)},
		{"index of nothing", []byte{9}, segment(in.Mutex)},
		{"a plain file", []byte{0}, plain},
		{"another kind", []byte{0}, segment(in.Count)},
	} {
		var h codec.Handles
		if err := h.Receive(c.file); err != nil {
			t.Fatal(err)
		}
		if err := new(shared.Mutex).SetHandles(c.src, &h); err == nil {
			t.Errorf("%s was accepted for a Mutex", c.name)
		}
		h.Close()
	}
	var h codec.Handles
	h.Receive(segment(in.Count))
	if err := new(shared.Value[[512]int64]).SetHandles([]byte{0}, &h); err == nil {
		t.Error("a Value[int] was accepted for a larger one")
	}
	whole := open[*shared.Value[[512]int64]](t)(shared.NewValue([512]int64{}))
	schema := binary.NativeEndian.Uint64(whole.Segment()[24:]) // see internal/mem
	part, err := mem.Create(mem.KindValue, schema, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Release()
	if err := lock.Init(part, mem.HeaderSize); err != nil {
		t.Fatal(err)
	}
	var near, far codec.Handles
	_, err = near.Add(part.File())
	if err := errors.Join(err, far.Duplicate(&near)); err != nil {
		t.Fatal(err)
	}
	if err := new(shared.Value[[512]int64]).SetHandles([]byte{0}, &far); err == nil || !strings.Contains(err.Error(), "too small") {
		t.Errorf("a part of a Value: %v", err)
	}
}

func TestValueTypes(t *testing.T) {
	type inner struct {
		N int
		S []string
	}
	type outer struct {
		OK bool
		In [3]inner
	}
	for _, c := range []struct {
		name  string
		value func() error
		want  []string // parts of the error; none: accepted
	}{
		{"int", of(1), nil},
		{"struct", of(pair{}), nil},
		{"empty", of(struct{}{}), nil},
		{"padding", of(struct {
			A int8
			B int64
			C complex64
		}{1, 2, 3}), nil},
		{"named", of(time.Second), nil},
		{"string", of("x"), []string{"shared.Value[string]", "[64]byte"}},
		{"nested slice", of(outer{}), []string{"field In[].S", "[]string"}},
		{"pointer", of(new(int)), []string{"*int"}},
		{"map field", of(struct{ M map[int]int }{}), []string{"field M"}},
		{"mutex", of(struct{ Mu *int }{}), []string{"field Mu"}},
		{"sync.Mutex", of(lockInside{}), []string{"field Mu", "one process only", "shared.Mutex"}},
		{"atomic", of(atomicInside{}), []string{"field N", "Update"}},
		{"uintptr", of(uintptr(0)), []string{"uint64"}},
		{"any", of(any(nil)), []string{"shared memory holds"}},
	} {
		err := c.value()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, part := range c.want {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", c.name, err, part)
			}
		}
	}
}

// lockInside and atomicInside look plain to reflection: no pointers in them.
type (
	lockInside   struct{ Mu [1]mutex }
	mutex        = sync.Mutex
	atomicInside struct{ N atomic.Int64 }
)

func of[T any](v T) func() error {
	return func() error {
		s, err := shared.NewValue(v)
		if err == nil {
			defer s.Close()
			_, err = s.Load(background)
		}
		return err
	}
}

func TestValueUpdate(t *testing.T) {
	v, err := shared.NewValue(struct {
		A int8
		F float64
		B [3]bool
	}{7, math.Pi, [3]bool{true, false, true}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	got, err := v.Load(background)
	if err != nil || got.A != 7 || got.F != math.Pi || !got.B[2] {
		t.Fatalf("Load = %v, %v", got, err)
	}
	type T = struct {
		A int8
		F float64
		B [3]bool
	}
	if err := v.Update(background, func(x *T) error { x.A = 9; return errCause }); err != errCause {
		t.Errorf("Update = %v", err)
	}
	func() {
		defer func() { recover() }()
		v.Update(background, func(x *T) error { x.A = 9; panic("boom") })
	}()
	if got, _ := v.Load(background); got.A != 7 {
		t.Errorf("an Update that failed left %d", got.A)
	}
	if err := v.Update(background, func(x *T) error { x.A = 9; return nil }); err != nil {
		t.Error(err)
	}
	if got, _ := v.Load(background); got.A != 9 {
		t.Errorf("after Update: %d", got.A)
	}
	if err := v.Repair(background, func(*T, *shared.OwnerDiedError) error { t.Error("ran"); return nil }); err != nil {
		t.Errorf("Repair of a whole value: %v", err)
	}
}

// TestRaceDetectorSees: data on the heap under a shared lock is no race; a race
// build of this test says so.
func TestRaceDetectorSees(t *testing.T) {
	m := newThings(t).Mutex
	n := 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if err := m.With(background, func() error { n++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n != 2000 {
		t.Errorf("counted %d", n)
	}
}

func BenchmarkMutex(b *testing.B) {
	m, err := shared.NewMutex()
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	var mu sync.Mutex
	b.Run("shared", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Lock(background)
			m.Unlock()
		}
	})
	b.Run("sync", func(b *testing.B) {
		for b.Loop() {
			mu.Lock()
			mu.Unlock()
		}
	})
}

func BenchmarkValue(b *testing.B) {
	v, err := shared.NewValue(0)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	b.ReportAllocs()
	for b.Loop() {
		v.Update(background, func(n *int) error { *n++; return nil })
	}
}
