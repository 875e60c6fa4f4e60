//go:build linux

package slab

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/mem"
)

func reader(t *testing.T, kind mem.Kind) *Reader {
	r := &Reader{Kind: kind}
	t.Cleanup(r.Close)
	return r
}

func pool(t *testing.T, kind mem.Kind, most int64) *Pool {
	p := NewPool(kind, most)
	t.Cleanup(p.Close)
	return p
}

type value struct {
	A, B []byte
	N    []int32
	F    []bool
	S    string
}

// carry takes v from one exchange to another as a transport would.
func carry(t *testing.T, near, far *Exchange, v value) (out value, aside int, err error) {
	t.Helper()
	c, err := codec.Of[value]()
	if err != nil {
		t.Fatal(err)
	}
	var h, there codec.Handles
	h.Use(near)
	src, err := c.Append(nil, &v, &h)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if err := there.Duplicate(&h); err != nil {
		t.Fatal(err)
	}
	there.Use(far)
	err = c.Decode(src, &out, &there)
	return out, h.Aside(), err
}

func sample(n int) value {
	v := value{A: bytes.Repeat([]byte("a"), n), B: bytes.Repeat([]byte("bc"), n/3), N: make([]int32, n/2), F: make([]bool, n), S: strings.Repeat("text", n/2)}
	for i := range v.N {
		v.N[i] = int32(i)
	}
	for i := range v.F {
		v.F[i] = i%3 == 0
	}
	return v
}

func equal(t *testing.T, got, want value) {
	t.Helper()
	c, _ := codec.Of[value]()
	a, _ := c.Append(nil, &got, nil)
	b, _ := c.Append(nil, &want, nil)
	if !bytes.Equal(a, b) {
		t.Error("what came is not what was sent")
	}
}

func TestRoundTrip(t *testing.T) {
	for _, kind := range []mem.Kind{mem.KindArgument, mem.KindResult} {
		near, far := &Exchange{Pool: pool(t, kind, 0)}, &Exchange{Reader: reader(t, kind)}
		for _, n := range []int{0, 10, codec.Large - 1, codec.Large, smallest, 1<<20 + 1, 5 << 20} {
			got, aside, err := carry(t, near, far, sample(n))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, sample(n))
			want := 0
			for _, size := range []int{n, n / 3 * 2, n / 2 * 4, n, n / 2 * 4} {
				if size >= codec.Large {
					want += size
				}
			}
			if aside != want {
				t.Errorf("of slices and a string around %d bytes, %d bytes went aside, want %d", n, aside, want)
			}
			far.End(false)
			near.End(kind == mem.KindResult)
		}
	}
}

// TestRecycled: one segment serves one call after the other, and never two at once.
func TestRecycled(t *testing.T) {
	p := pool(t, mem.KindResult, 0)
	near, far := &Exchange{Pool: p}, &Exchange{Reader: reader(t, mem.KindResult)}
	v := value{A: make([]byte, smallest)}
	for range 50 {
		if _, _, err := carry(t, near, far, v); err != nil {
			t.Fatal(err)
		}
		near.End(true)
		p.mu.Lock()
		p.collect()
		if len(p.forwarded) != 1 {
			t.Errorf("%d segments are forwarded before the receiver is done", len(p.forwarded))
		}
		p.mu.Unlock()
		far.End(false)
		p.mu.Lock()
		p.collect()
		if len(p.free) != 1 || len(p.forwarded) != 0 {
			t.Errorf("%d free and %d forwarded after the receiver is done", len(p.free), len(p.forwarded))
		}
		p.mu.Unlock()
	}
	a, b := p.lend(10), p.lend(10)
	if a == b {
		t.Error("one segment was lent twice")
	}
	p.give([]*slab{a, b}, false)
}

// TestBound: beyond the pool's limit content stays in the bytes, and idle segments
// make room for those of another size.
func TestBound(t *testing.T) {
	p := pool(t, mem.KindArgument, 2<<20)
	near, far := &Exchange{Pool: p}, &Exchange{Reader: reader(t, mem.KindArgument)}
	for _, c := range []struct{ n, aside int }{{3 << 20, 0}, {1 << 20, 1 << 20}, {2 << 20, 2 << 20}, {256 << 10, 256 << 10}} {
		got, aside, err := carry(t, near, far, value{A: make([]byte, c.n)})
		if err != nil || len(got.A) != c.n || aside != c.aside {
			t.Errorf("of %d bytes %d came, %d aside, want %d; %v", c.n, len(got.A), aside, c.aside, err)
		}
		near.End(false)
		far.End(false)
		if p.total > p.most {
			t.Errorf("%d bytes in segments, %d are the most", p.total, p.most)
		}
	}
}

// TestIdle: what is not used goes by itself, and the timer with it.
func TestIdle(t *testing.T) {
	p := pool(t, mem.KindArgument, 0)
	p.idle = time.Millisecond
	p.give([]*slab{p.lend(1), p.lend(1 << 20)}, false)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		left, running := len(p.free), p.timer != nil
		p.mu.Unlock()
		if left == 0 && !running {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d segments are left, timer: %v", left, running)
		}
	}
	if p.total != 0 {
		t.Errorf("%d bytes are counted in no segment", p.total)
	}
}

// TestNothingLeft: neither descriptors nor mappings.
func TestNothingLeft(t *testing.T) {
	files, maps := held(t)
	p, r := NewPool(mem.KindArgument, 0), &Reader{Kind: mem.KindArgument}
	near, far := &Exchange{Pool: p}, &Exchange{Reader: r}
	for range 3 * kept {
		if _, _, err := carry(t, near, far, sample(codec.Large)); err != nil {
			t.Fatal(err)
		}
		near.End(false)
		far.End(false)
		late := p.lend(1)
		p.Close()
		p.give([]*slab{late}, false)
		p = NewPool(mem.KindArgument, 0)
		near.Pool = p
	}
	p.Close()
	r.Close()
	if f, m := held(t); f != files || m != maps {
		t.Errorf("%d descriptors and %d mappings, before %d and %d", f, m, files, maps)
	}
}

func held(t *testing.T) (files, maps int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.Contains(target, "memfd:") {
			files++
		}
	}
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return files, strings.Count(string(b), "/memfd:")
}

// TestOneWriter: a receiver has no way to write into an argument's segment.
func TestOneWriter(t *testing.T) {
	p := pool(t, mem.KindArgument, 0)
	s := p.lend(1)
	if _, err := s.file.WriteAt([]byte{1}, contentAt); err == nil {
		t.Error("the descriptor that is given out can write")
	}
	p.give([]*slab{s}, false)
}

// FuzzFetch: whatever a peer claims, what is copied lies in a segment that it sent,
// and no byte is copied twice.
func FuzzFetch(f *testing.F) {
	f.Add(uint64(codec.Large), uint8(0), uint64(0), uint8(0), uint64(codec.Large), int64(0))
	f.Add(uint64(codec.Large), uint8(0), uint64(1<<63), uint8(1), uint64(7), int64(1))
	f.Fuzz(func(t *testing.T, size uint64, i uint8, off uint64, j uint8, off2 uint64, limit int64) {
		p := NewPool(mem.KindResult, 64<<20)
		defer p.Close()
		r := &Reader{Kind: mem.KindResult}
		defer r.Close()
		one, two := p.lend(smallest), p.lend(smallest)
		defer p.give([]*slab{one, two}, false)
		var near, h codec.Handles
		for _, s := range []*slab{one, two, one} {
			near.Add(s.file)
		}
		if err := h.Duplicate(&near); err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		x := &Exchange{Reader: r, Limit: max(limit, 0)}
		defer x.End(false)
		h.Use(x)
		src := binary.AppendUvarint(nil, size+1)
		for _, at := range []struct {
			i   uint8
			off uint64
		}{{i, off}, {j, off2}} {
			src = append(binary.AppendUvarint(append(src, 1), uint64(at.i)), binary.AppendUvarint(nil, at.off)...)
			src = binary.AppendUvarint(src, size+1)
		}
		c, err := codec.Of[[2][]byte]()
		if err != nil {
			t.Fatal(err)
		}
		var out [2][]byte
		if c.Decode(src[:len(src)-len(binary.AppendUvarint(nil, size+1))], &out, &h) != nil {
			return
		}
		n := len(out[0]) + len(out[1])
		if n > 2*smallest || limit > 0 && int64(n) > limit && size >= codec.Large {
			t.Errorf("%d bytes came out of %d, limit %d", n, 2*smallest, limit)
		}
	})
}

// TestHostile: what is no segment of the peer's is refused.
func TestHostile(t *testing.T) {
	results, arguments := pool(t, mem.KindResult, 0), pool(t, mem.KindArgument, 0)
	res, arg := results.lend(smallest), arguments.lend(smallest)
	defer results.give([]*slab{res}, false)
	defer arguments.give([]*slab{arg}, false)
	plain, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for name, c := range map[string]struct {
		files []*os.File
		at    []codec.Where
		n     int
		ok    bool
	}{
		"good":             {[]*os.File{res.file}, []codec.Where{{Handle: 0, Offset: 0}, {Handle: 0, Offset: 100}}, 100, true},
		"to the last byte": {[]*os.File{res.file}, []codec.Where{{Handle: 0, Offset: smallest - 100}}, 100, true},
		"beyond":           {[]*os.File{res.file}, []codec.Where{{Handle: 0, Offset: smallest - 99}}, 100, false},
		"far beyond":       {[]*os.File{res.file}, []codec.Where{{Handle: 0, Offset: 1<<64 - 50}}, 100, false},
		"nothing":          {[]*os.File{res.file}, []codec.Where{{Handle: 0, Offset: 0}}, 0, false},
		"the same again":   {[]*os.File{res.file}, []codec.Where{{Handle: 0, Offset: 0}, {Handle: 0, Offset: 99}}, 100, false},
		"twice":            {[]*os.File{res.file, res.file}, []codec.Where{{Handle: 0, Offset: 0}, {Handle: 1, Offset: 0}}, 100, false},
		"not sent":         {[]*os.File{res.file}, []codec.Where{{Handle: 1, Offset: 0}}, 100, false},
		"an argument's":    {[]*os.File{arg.file}, []codec.Where{{Handle: 0, Offset: 0}}, 100, false},
		"a plain file":     {[]*os.File{plain}, []codec.Where{{Handle: 0, Offset: 0}}, 100, false},
	} {
		var near, h codec.Handles
		for _, f := range c.files {
			near.Add(f)
		}
		if err := h.Duplicate(&near); err != nil {
			t.Fatal(err)
		}
		x := &Exchange{Reader: reader(t, mem.KindResult)}
		var err error
		for _, at := range c.at {
			if err == nil {
				_, err = x.Fetch(&h, at, c.n)
			}
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		x.End(false)
		h.Close()
	}
}

func TestRound(t *testing.T) {
	for n := 1; n < 1<<40; n += n/7 + 1 {
		size := round(n)
		if size < n || size > max(smallest, n+n/4+1) {
			t.Fatalf("a segment of %d for %d bytes", size, n)
		}
	}
}
