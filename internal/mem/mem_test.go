//go:build linux

package mem_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

const at = mem.HeaderSize

func create(t *testing.T, size int) *mem.Segment {
	t.Helper()
	s, err := mem.Create(mem.KindValue, 7, size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// again opens a second descriptor of what f leads to, as if it had been sent.
func again(t *testing.T, f *os.File) *os.File {
	t.Helper()
	g, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestMappedOnce(t *testing.T) {
	a := create(t, 100)
	f := again(t, a.File())
	b, err := mem.Open(f, mem.KindValue, 7)
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Error("one segment was mapped twice")
	}
	if f.Close() == nil {
		t.Error("Open left the descriptor open that it took")
	}
	*a.Long(at) = 42
	if err := a.Release(); err != nil {
		t.Error(err)
	}
	if *b.Long(at) != 42 {
		t.Error("one of two references was released, and the memory went")
	}
	if err := b.Release(); err != nil {
		t.Error(err)
	}
	if err := b.File().Close(); err == nil {
		t.Error("after the last Release the descriptor was still open")
	}
}

// user sees what a release shows to users.
type user struct{ tomb, real uint64 }

func (u *user) Bury(tomb mem.View)   { *tomb.Long(at) = 13; u.tomb = *tomb.Long(at + 8) }
func (u *user) Detach(real mem.View) { u.real = *real.Long(at); *real.Long(at) = 99 }

func TestTomb(t *testing.T) {
	s := create(t, 100)
	keep := again(t, s.File())
	u := new(user)
	for i := range 2 {
		begun := 0
		got, err := s.User(at, func() (mem.User, error) { begun++; return u, nil })
		if err != nil || got != u || begun != 1-i {
			t.Fatalf("User = %v, %v", got, err)
		}
	}
	*s.Long(at), *s.Long(at + 8) = 42, 43
	*s.Companion(at) = 5
	p := s.Long(at)
	if err := s.Release(); err != nil {
		t.Fatal(err)
	}
	if *p != 13 {
		t.Errorf("at the old address: %d, want what Bury wrote", *p)
	}
	if u.tomb != 0 || u.real != 42 {
		t.Errorf("Bury saw %d, Detach %d; want fresh memory, and the shared one", u.tomb, u.real)
	}
	if *s.Companion(at) != 5 {
		t.Error("the private page changed at release")
	}
	runtime.KeepAlive(s) // until here p may be used
	other, err := mem.Open(keep, mem.KindValue, 7)
	if err != nil {
		t.Fatal(err)
	}
	if got := *other.Long(at); got != 99 {
		t.Errorf("the shared memory holds %d, want what Detach wrote", got)
	}
	other.Release()
}

// TestRangesReturn: the address ranges go when nobody can look at them.
func TestRangesReturn(t *testing.T) {
	maps := func() int {
		b, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
	before := maps()
	for range 200 {
		create(t, 100).Release()
	}
	for deadline := time.Now().Add(10 * time.Second); maps() > before+20; time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Now().After(deadline) {
			t.Fatalf("%d mappings, %d before", maps(), before)
		}
	}
}

// TestRefused: what is no segment is not mapped.
func TestRefused(t *testing.T) {
	plain, err := os.Create(filepath.Join(t.TempDir(), "plain"))
	if err != nil {
		t.Fatal(err)
	}
	loose, err := unix.MemfdCreate("loose", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	header := func(edit func(h []byte)) *os.File {
		f, err := sys.Memfd("forged", int64(os.Getpagesize()))
		if err != nil {
			t.Fatal(err)
		}
		s := create(t, 1)
		defer s.Release()
		h := make([]byte, mem.HeaderSize)
		if _, err := s.File().ReadAt(h, 0); err != nil {
			t.Fatal(err)
		}
		edit(h)
		if _, err := f.WriteAt(h, 0); err != nil {
			t.Fatal(err)
		}
		return f
	}
	small, err := sys.Memfd("small", 10)
	if err != nil {
		t.Fatal(err)
	}
	good := header(func([]byte) {})
	for _, c := range []struct {
		name string
		f    *os.File
	}{
		{"a plain file", plain},
		{"a memfd that can shrink", os.NewFile(uintptr(loose), "loose")},
		{"a memfd smaller than a header", small},
		{"no magic", header(func(h []byte) { h[3]++ })},
		{"another size", header(func(h []byte) { binary.NativeEndian.PutUint64(h[16:], 1<<40) })},
		{"another kind", header(func(h []byte) { h[8], h[11] = 77, 77 })},
		{"another structure", header(func(h []byte) { h[24]++ })},
	} {
		if s, err := mem.Open(c.f, mem.KindValue, 7); err == nil {
			s.Release()
			t.Errorf("%s was mapped", c.name)
		}
		if c.f.Close() == nil {
			t.Errorf("%s: a refused descriptor stayed open", c.name)
		}
	}
	s, err := mem.Open(good, mem.KindValue, 7)
	if err != nil {
		t.Fatalf("the header that the forged ones were made from: %v", err)
	}
	s.Release()
	if _, err := mem.Create(mem.KindValue, 0, -1); err == nil {
		t.Error("a negative size was accepted")
	}
}

func TestViewBounds(t *testing.T) {
	s := create(t, 100)
	defer s.Release()
	for name, f := range map[string]func(){
		"negative":    func() { s.Word(-4) },
		"beyond":      func() { s.Word(s.Len()) },
		"across":      func() { s.Long(s.Len() - 4) },
		"not aligned": func() { s.Word(at + 2) },
		"too large":   func() { mem.At[[1 << 20]byte](s.View, 0) },
		"companion":   func() { s.Companion(os.Getpagesize()) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	if p := s.Word(s.Len() - 4); *p != 0 {
		t.Error("a new segment is not all zero")
	}
}

func TestSliceBounds(t *testing.T) {
	seg := create(t, os.Getpagesize()-mem.HeaderSize)
	defer seg.Release()
	size := seg.Len()
	for _, c := range []struct {
		off, n int
		ok     bool
	}{{0, size / 8, true}, {64, size/8 - 8, true}, {size, 0, true}, {64, size/8 - 7, false}, {4, 1, false}, {-8, 1, false}, {0, -1, false}, {size + 8, 0, false}, {0, math.MaxInt, false}} {
		func() {
			defer func() {
				if v := recover(); (v == nil) != c.ok {
					t.Errorf("%d at %d: %v", c.n, c.off, v)
				}
			}()
			if s := mem.Slice[uint64](seg.View, c.off, c.n); len(s) != c.n || cap(s) != c.n {
				t.Errorf("%d at %d: %d elements, room for %d", c.n, c.off, len(s), cap(s))
			}
		}()
	}
}
