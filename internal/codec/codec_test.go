package codec_test

import (
	"encoding/binary"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
)

func TestNoAllocation(t *testing.T) {
	type plain struct {
		A int
		B float32
		C bool
		D [4]padded
	}
	c, in, out, buf := must[plain](t), new(plain), new(plain), make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf, _ = c.Append(buf[:0], in, nil) }); n != 0 {
		t.Errorf("Append without pointers: %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = c.Decode(buf, out, nil) }); n != 0 {
		t.Errorf("Decode without pointers: %v allocations, want 0", n)
	}
	m, mIn, mOut := must[Mixed](t), mixed(), new(Mixed)
	if n := testing.AllocsPerRun(100, func() { buf, _ = m.Append(buf[:0], mIn, nil) }); n != 0 {
		t.Errorf("Append of a struct with a string and a slice: %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = m.Decode(buf, mOut, nil) }); n != 2 {
		t.Errorf("Decode of a struct with a string and a slice: %v allocations, want 2", n)
	}
}

func TestSize(t *testing.T) {
	check := func(name string, n int, exact bool, wantN int, wantExact bool) {
		t.Helper()
		if n != wantN || exact != wantExact {
			t.Errorf("%s: Size = %d, %v; want %d, %v", name, n, exact, wantN, wantExact)
		}
	}
	n, exact := must[Mixed](t).Size(mixed())
	check("Mixed", n, exact, 8+1+12+1+128, true)
	n, exact = must[[]string](t).Size(&[]string{"ab", "c"})
	check("strings", n, exact, 1+3+2, true)
	n, exact = must[[]byte](t).Size(new(make([]byte, 1000)))
	check("bytes", n, exact, 2+1000, true)
	n, exact = must[map[int]int8](t).Size(&map[int]int8{1: 1, 2: 2})
	check("map", n, exact, 1+2*9, true)
	n, exact = must[[][]string](t).Size(&[][]string{{"long"}, nil})
	check("nested", n, exact, 1+2, false)
	loop := &node{}
	loop.Next = loop
	if n, exact = must[node](t).Size(loop); exact {
		t.Errorf("cycle: Size = %d, exact", n)
	}
}

func TestSchema(t *testing.T) {
	type A struct {
		X int
		Y []string
	}
	type B struct {
		X int
		Y []string
	}
	type C struct {
		X int
		Z []string
	}
	type D struct {
		X int
		Y []name
	}
	a, b := must[A](t).Schema(), must[B](t).Schema()
	if a != b {
		t.Errorf("equal structures: %x and %x", a, b)
	}
	if a != must[A](t).Schema() {
		t.Error("the schema of one type differs from call to call")
	}
	if d := must[D](t).Schema(); d != a {
		t.Errorf("a named string: %x, want %x", d, a)
	}
	seen := map[uint64]string{a: "A"}
	for title, s := range map[string]uint64{
		"other field": must[C](t).Schema(), "slice": must[[]A](t).Schema(), "pointer": must[*A](t).Schema(),
		"int": must[int](t).Schema(), "uint": must[uint](t).Schema(), "any": must[any](t).Schema(),
		"error": must[error](t).Schema(), "time": must[time.Time](t).Schema(), "node": must[node](t).Schema(),
		"array": must[[2]int](t).Schema(), "array of 3": must[[3]int](t).Schema(), "map": must[map[int]A](t).Schema(),
		"big": must[big.Int](t).Schema(), "rich": must[rich](t).Schema(),
	} {
		if other, ok := seen[s]; ok {
			t.Errorf("%s and %s have the same schema", title, other)
		}
		seen[s] = title
	}
	// The same in every process and run: it must be a number that can be written down.
	if got, want := must[Mixed](t).Schema(), uint64(0xad68c6d0516bdb6c); got != want && binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		t.Errorf("schema of Mixed = %#x, want %#x", got, want)
	}
}

// Goroutines that meet a type, and a type that contains itself, for the first
// time together.
func TestConcurrentUse(t *testing.T) {
	type leaf struct{ Words []string }
	type tree struct {
		Leaf leaf
		Subs []*tree
	}
	var wg sync.WaitGroup
	hashes := make([]uint64, 8)
	for i := range hashes {
		wg.Go(func() {
			c, err := codec.Of[tree]()
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = c.Schema()
			in, out := tree{Subs: []*tree{{Leaf: leaf{[]string{"w"}}}}}, tree{}
			src, err := c.Append(nil, &in, nil)
			if err == nil {
				err = c.Decode(src, &out, nil)
			}
			if err != nil || len(out.Subs) != 1 || out.Subs[0].Leaf.Words[0] != "w" {
				t.Errorf("got %v, %v", out, err)
			}
		})
	}
	wg.Wait()
	if len(slices.Compact(hashes)) != 1 {
		t.Errorf("one type has the schemas %x", hashes)
	}
}

// TestLargeContent: strings and slices around the size from which they may go aside come
// back where there is no aside, and Size says how long they are.
func TestLargeContent(t *testing.T) {
	for _, n := range []int{codec.Large - 1, codec.Large, codec.Large + 1, 1<<21 - 1, 5 << 20} {
		large(t, strings.Repeat("x", n))
		large(t, make([]byte, n))
		large(t, []string{"a", strings.Repeat("y", n), "b"})
		large[any](t, strings.Repeat("z", n))
		large[any](t, make([]byte, n))
	}
}

func large[T any](t *testing.T, v T) {
	t.Helper()
	c := must[T](t)
	b, err := c.Append(nil, &v, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := c.Decode(b, &out, nil); err != nil || !reflect.DeepEqual(out, v) {
		t.Errorf("of %T and %d bytes something else came back, %v", v, len(b), err)
	}
	if n, exact := c.Size(&v); n != len(b) || !exact {
		t.Errorf("%T: Size = %d, %v; want %d", v, n, exact, len(b))
	}
}
