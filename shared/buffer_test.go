//go:build linux

package shared_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/shared"
)

func newBuffer(t *testing.T, n int) *shared.Buffer {
	t.Helper()
	b, err := shared.NewBuffer(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// pass gives another handle of b, as a process border would.
func pass(b *shared.Buffer) (*shared.Buffer, error) {
	c, err := codec.Of[*shared.Buffer]()
	if err != nil {
		return nil, err
	}
	var near, far codec.Handles
	src, err := c.Append(nil, &b, &near)
	if err != nil {
		return nil, err
	}
	defer far.Close()
	if err := far.Duplicate(&near); err != nil {
		return nil, err
	}
	var out *shared.Buffer
	return out, c.Decode(src, &out, &far)
}

func TestBufferBytes(t *testing.T) {
	for _, size := range []int{0, 1, 4096 - 64, 4096, 1<<20 + 3} {
		b := newBuffer(t, size)
		other, err := pass(b)
		if err != nil {
			t.Fatal(err)
		}
		err = b.View(func(p []byte) error {
			if len(p) != size || cap(p) != size || b.Len() != size || other.Len() != size {
				t.Errorf("a Buffer of %d has %d bytes, room for %d", size, len(p), cap(p))
			}
			for i := range p {
				if p[i] != 0 {
					t.Fatalf("byte %d is not zero", i)
				}
				p[i] = byte(i * 7)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(io.NewSectionReader(other, 0, math.MaxInt64))
		if err != nil || len(got) != size {
			t.Errorf("read %d of %d bytes, %v", len(got), size, err)
		}
		for i := range got {
			if got[i] != byte(i*7) {
				t.Fatalf("byte %d of %d differs on the other handle", i, size)
			}
		}
		other.Close()
	}
	if _, err := shared.NewBuffer(-1); err == nil {
		t.Error("a negative size was accepted")
	}
	if _, err := shared.NewBuffer(1 << 50); err == nil {
		t.Error("a size that no machine has was accepted")
	}
}

func TestBufferReadWriteAt(t *testing.T) {
	b := newBuffer(t, 10)
	for _, c := range []struct {
		off  int64
		n    int
		want error
	}{{0, 10, nil}, {3, 7, nil}, {3, 8, io.ErrShortWrite}, {10, 0, nil}, {10, 1, io.ErrShortWrite}, {math.MaxInt64, 1, io.ErrShortWrite}} {
		in := bytes.Repeat([]byte{byte(c.n)}, c.n)
		fits := max(0, min(c.n, int(10-min(c.off, 10))))
		if n, err := b.WriteAt(in, c.off); n != fits || err != c.want {
			t.Errorf("WriteAt %d at %d: %d, %v", c.n, c.off, n, err)
		}
		out := make([]byte, c.n)
		wantErr := c.want
		if wantErr != nil {
			wantErr = io.EOF
		}
		if n, err := b.ReadAt(out, c.off); n != fits || err != wantErr || !bytes.Equal(out[:n], in[:n]) {
			t.Errorf("ReadAt %d at %d: %d, %v", c.n, c.off, n, err)
		}
	}
	if _, err := b.ReadAt(nil, -1); err == nil {
		t.Error("a negative offset was accepted")
	}
}

func TestBufferClosed(t *testing.T) {
	made := newBuffer(t, 1)
	made.Close()
	for name, b := range map[string]*shared.Buffer{"zero": {}, "closed": made} {
		_, slice := b.Slice()
		_, travel := pass(b)
		for what, err := range map[string]error{
			"View":  b.View(func([]byte) error { t.Error("the function ran"); return nil }),
			"Slice": slice, "travel": travel,
		} {
			if !errors.Is(err, tandem.ErrClosed) {
				t.Errorf("%s of a %s Buffer: %v", what, name, err)
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Unpin of a %s Buffer without Slice: no panic", name)
				}
			}()
			b.Unpin()
		}()
		if err := b.Close(); err != nil {
			t.Errorf("Close of a %s Buffer: %v", name, err)
		}
	}
}

// TestBufferPin: Close never takes memory from under somebody inside, and the last
// one out does.
func TestBufferPin(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 })
	b := newBuffer(t, 1<<20)
	p, err := b.Slice()
	if err != nil {
		t.Fatal(err)
	}
	err = b.View(func(q []byte) error {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		q[0], q[len(q)-1] = 1, 2
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if p[0] != 1 || p[len(p)-1] != 2 {
		t.Error("the pinned slice shows other memory")
	}
	if n := segments(t); n == 0 {
		t.Error("the memory went under a pin")
	}
	b.Unpin()
	if n := segments(t); n != 0 {
		t.Errorf("%d segments after the last pin", n)
	}
	if n := countFiles(t); n != 0 {
		t.Errorf("%d descriptors after the last pin", n)
	}
	b, other := newBuffer(t, 10), newBuffer(t, 10)
	var near, far codec.Handles
	src, err := other.AppendHandles(nil, &near)
	if err := errors.Join(err, far.Duplicate(&near)); err != nil {
		t.Fatal(err)
	}
	b.Slice()
	b.Close()
	if err := b.SetHandles(src, &far); err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("another was decoded into one that is pinned: %v", err)
	}
	b.Unpin()
}

// TestBufferNothingLeft: forgotten handles go with the collector.
func TestBufferNothingLeft(t *testing.T) {
	settle(t, "before", func() bool { return segments(t) == 0 })
	for range 50 {
		b, err := shared.NewBuffer(10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pass(b); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, "segments and descriptors go", func() bool { return segments(t) == 0 && countFiles(t) == 0 })
}

// TestBufferCloseWhileUsed: Close at any moment is an error for those who come
// later, and nothing for those inside.
func TestBufferCloseWhileUsed(t *testing.T) {
	for range 50 {
		b := newBuffer(t, 4096)
		var begun, all sync.WaitGroup
		begun.Add(4)
		for i := range 4 {
			all.Go(func() {
				for n := 0; ; n++ {
					err := b.View(func(p []byte) error { p[i]++; return nil })
					if n == 0 {
						begun.Done()
					}
					if err != nil {
						if !errors.Is(err, tandem.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		begun.Wait()
		b.Close()
		all.Wait()
	}
}

func TestBufferHostile(t *testing.T) {
	b := newBuffer(t, 100)
	in := newThings(t)
	size := func(n uint64) []byte { return binary.LittleEndian.AppendUint64([]byte{0}, n) }
	for name, c := range map[string]struct {
		src   []byte
		thing interface {
			AppendHandles([]byte, *tandem.Handles) ([]byte, error)
		}
	}{
		"nothing":         {nil, b},
		"no size":         {[]byte{0}, b},
		"one byte more":   {append(size(100), 0), b},
		"index of none":   {append([]byte{9}, size(100)[1:]...), b},
		"too large":       {size(4096 - 63), b},
		"far too large":   {size(math.MaxUint64), b},
		"negative":        {size(1 << 63), b},
		"a value's":       {size(8), in.Count},
		"a mutex's":       {size(8), in.Mutex},
		"the whole of it": {size(4096 - 64), b}, // is no harm: the memory is there
	} {
		var near, far codec.Handles
		if _, err := c.thing.AppendHandles(nil, &near); err != nil {
			t.Fatal(err)
		}
		if err := far.Duplicate(&near); err != nil {
			t.Fatal(err)
		}
		out := new(shared.Buffer)
		if err := out.SetHandles(c.src, &far); (err == nil) != (name == "the whole of it") {
			t.Errorf("%s: %v", name, err)
		}
		far.Close()
		out.Close()
	}
	open := newBuffer(t, 1)
	var near, far codec.Handles
	src, _ := b.AppendHandles(nil, &near)
	far.Duplicate(&near)
	if err := open.SetHandles(src, &far); err == nil {
		t.Error("a Buffer was decoded into one that is open")
	}
	if open.Len() != 1 {
		t.Error("a refused decoding changed the Buffer")
	}
}

func ExampleBuffer() {
	b, err := shared.NewBuffer(5)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	b.WriteAt([]byte("hello"), 0)
	b.View(func(p []byte) error {
		fmt.Printf("%s\n", p)
		return nil
	})
	// Output: hello
}
