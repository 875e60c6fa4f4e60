package codec_test

import (
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
)

type wide struct{ A, B, C, D, E, F, G, H []string }

// roomy is much memory for an encoding that may be one byte.
type roomy struct{ room [1 << 16]byte }

func (*roomy) AppendBinary(dst []byte) ([]byte, error) { return dst, nil }
func (*roomy) UnmarshalBinary([]byte) error            { return nil }

func TestHostile(t *testing.T) {
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	maxInt := slices.Clip(binary.AppendUvarint(nil, math.MaxInt))
	million := binary.AppendUvarint(nil, 1<<20+2)

	hostile[bool](t, "bool of 2", []byte{2}, "a bool is neither 0 nor 1")
	hostile[[]bool](t, "bools", []byte{4, 0, 1, 255}, "a bool is neither")
	hostile[struct{ A, B bool }](t, "bool in struct", []byte{1, 9}, ".B: a bool is neither")
	hostile[*int](t, "flag", []byte{2}, "neither nil (0) nor set (1)")
	hostile[int](t, "left over", make([]byte, 9), "1 bytes are left over")
	hostile[string](t, "string length", append(huge, "abc"...), "end too early")
	hostile[string](t, "uvarint too long", []byte(strings.Repeat("\xff", 20)), "end too early")
	hostile[string](t, "a large string, no way", append(maxInt, "abc"...), "97 is no way for content to travel")
	hostile[string](t, "a large string, within", append(maxInt, 0, 'a', 'b', 'c'), "does not fit into the 3 bytes left")
	hostile[string](t, "a large string aside without a store", append(maxInt, 1, 0, 0), "where there is no way for it")
	hostile[[]byte](t, "slice count", append(huge, "abc"...), "impossible")
	hostile[[]int](t, "slice count", []byte{5, 'a', 'b', 'c'}, "does not fit into the 3 bytes left")
	hostile[[]int](t, "large count", append(maxInt, 0, 'a', 'b', 'c'), "does not fit into the 3 bytes left")
	hostile[[]int](t, "no way", append(maxInt, "abc"...), "97 is no way for content to travel")
	hostile[[]int](t, "aside without a store", append(maxInt, 1, 0, 0), "where there is no way for it")
	hostile[[]int](t, "large and nothing", maxInt, "end too early")
	hostile[[]int](t, "half a place", append(maxInt, 1, 0), "end too early")
	hostile[[]string](t, "strings count", []byte{5, 0, 0, 0}, "a count of 4 does not fit into the 3 bytes left")
	hostile[[]wide](t, "struct count", []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "a count of 2 does not fit")
	hostile[[]struct{}](t, "empty elements", million, "at most 1048576 can travel")
	hostile[[][0]int](t, "empty arrays", maxInt, "at most 1048576 can travel")
	hostile[map[struct{}]struct{}](t, "empty keys", []byte{3}, "same key twice")
	hostile[map[string]int](t, "map count", append(maxInt, 0), "does not fit")
	hostile[map[uint8]uint8](t, "same key", []byte{3, 1, 0, 1, 0}, "same key twice")
	hostile[map[string]bool](t, "same key, common map", []byte{3, 1, 'a', 0, 1, 'a', 1}, "same key twice")
	hostile[any](t, "tag", []byte{200}, "no type has the tag 200")
	hostile[any](t, "nothing", nil, "end too early")
	hostile[node](t, "depth by pointers", deep(codec.MaxDepth+10, 0, 0, 0, 0, 0, 0, 0, 0, 1), "nested deeper than 1000")
	hostile[any](t, "depth by any", deep(codec.MaxDepth, 20, 2), "nested deeper than 1000")
	hostile[tower](t, "depth by slices", deep(codec.MaxDepth+10, 2), "nested deeper than 1000")
}

type tower []tower

// deep is n times what opens a level.
func deep(n int, open ...byte) []byte {
	return []byte(strings.Repeat(string(open), n))
}

func hostile[T any](t *testing.T, title string, src []byte, want string) {
	t.Helper()
	err := must[T](t).Decode(src, new(T), nil)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got %v, want %q", title, err, want)
	}
	if err != nil && len(err.Error()) > 500 {
		t.Errorf("%s: the error has %d bytes", title, len(err.Error()))
	}
}

// Decoding takes no more memory than a small multiple of the input, whatever
// the counts in it say.
func TestHostileMemory(t *testing.T) {
	junk := make([]byte, 64<<10)
	count := binary.AppendUvarint(nil, uint64(len(junk)+1))
	src := append(count, junk...)
	bounded[[]string](t, src)
	bounded[[][]string](t, src)
	bounded[[]any](t, src)
	bounded[[]wide](t, append(binary.AppendUvarint(nil, uint64(len(junk)/8+1)), junk...))
	bounded[[]struct{ P *[4096]int }](t, src)
	bounded[map[uint32]struct{}](t, append(binary.AppendUvarint(nil, uint64(len(junk)/4+1)), junk...))
	bounded[map[string]string](t, append(binary.AppendUvarint(nil, uint64(len(junk)/2+1)), junk...))
	for i := range junk {
		src[len(count)+i] = 0xff
	}
	bounded[[]roomy](t, src) // the claim is 4 GiB
	bounded[map[string]roomy](t, src)
	bounded[[]*roomy](t, src)
}

func bounded[T any](t *testing.T, src []byte) {
	t.Helper()
	c, v := must[T](t), new(T)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := c.Decode(src, v, nil)
	runtime.ReadMemStats(&after)
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(64*len(src)); took > most {
		t.Errorf("%T from %d bytes takes %d bytes of memory (%v)", *v, len(src), took, err)
	}
}

func TestCycles(t *testing.T) {
	const want = "nested deeper than 1000: a cycle"
	loop := &node{}
	loop.Next = loop
	cyclic(t, loop, want)
	list := tower{nil}
	list[0] = list
	cyclic(t, &list, want)
	byName := map[string]any{}
	byName["me"] = byName
	cyclic(t, &byName, want)
	var self any
	self = []any{&self}
	cyclic(t, &self, "any holds a *interface {}, which cannot travel in it")
	tree := map[string]node{}
	tree["me"] = node{By: tree}
	cyclic(t, &tree, want)
}

func cyclic[T any](t *testing.T, v *T, want string) {
	t.Helper()
	c := must[T](t)
	if n, exact := c.Size(v); exact {
		t.Errorf("%T: a cycle has an exact size: %d", *v, n)
	}
	_, err := c.Append(nil, v, nil)
	if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 500 {
		t.Errorf("%T: got %v, want %q", *v, err, want)
	}
}

// As deep as allowed must work, in both directions.
func TestDepth(t *testing.T) {
	chain := &node{}
	for range codec.MaxDepth - 1 {
		chain = &node{Next: chain}
	}
	out := send(t, chain)
	n := 0
	for ; out != nil; out = out.Next {
		n++
	}
	if n != codec.MaxDepth {
		t.Errorf("%d nodes arrived, want %d", n, codec.MaxDepth)
	}
}
