package codec_test

import (
	"bytes"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"testing"
	"time"
)

type (
	name  string
	names []name
	bag   map[name]int

	padded struct { // 3 + 7 bytes of holes
		a byte
		b int32
		c byte
		d int64
	}
	flags struct{ On, Off bool }
	inner struct {
		label string
		pos   [2]padded
	}
	rich struct {
		hidden int
		Name   name
		inner  // embedded, unexported
		List   []inner
		Grid   [][]float32
		ByName map[string]*inner
		Keys   map[[2]int8][]string
		Bag    bag
		Opt    **int
		Flags  []flags
		Bits   []bool
		C      complex64
		_      int16
		_      [0]func()
		Any    any
		Small  uint8
		Names  names
		Sets   map[int]map[string]struct{}
	}
	node struct {
		Val  int
		Next *node
		Kids []node
		By   map[string]node
	}
)

func fullRich() rich {
	n := 7
	p := &n
	in := inner{"in", [2]padded{{1, -2, 3, -4}, {5, 6, 7, 8}}}
	return rich{
		hidden: -1, Name: "rich", inner: in, List: []inner{in, {}},
		Grid:   [][]float32{{1, 2}, {}, nil},
		ByName: map[string]*inner{"a": &in, "b": nil},
		Keys:   map[[2]int8][]string{{1, 2}: {"x", ""}, {}: nil},
		Bag:    bag{"one": 1}, Opt: &p, Flags: []flags{{true, false}, {false, true}},
		Bits: []bool{true, false, true}, C: complex(1, -1), Small: 255, Names: names{"n"},
		Any:  map[string]any{"k": []any{1, "two", 3.0, nil, []byte{4}, uint16(5), true}},
		Sets: map[int]map[string]struct{}{1: {"x": {}}, 2: nil, 3: {}},
	}
}

func TestRoundTrip(t *testing.T) {
	roundTrip(t, "bool", true, false)
	roundTrip(t, "int", 0, 1, -1, math.MaxInt, math.MinInt)
	roundTrip(t, "uint8", uint8(0), uint8(255))
	roundTrip(t, "float64", 0, math.Inf(-1), math.SmallestNonzeroFloat64)
	roundTrip(t, "complex128", complex(1, 2))
	roundTrip(t, "string", "", "x", "日本", string(make([]byte, 300)))
	roundTrip(t, "named string", name("n"))
	roundTrip(t, "bytes", nil, []byte{}, []byte("abc"), make([]byte, 70000))
	roundTrip(t, "odd sizes", [][3]byte{{1, 2, 3}, {4, 5, 6}, {7}})
	roundTrip(t, "uint16s", []uint16{1, 2, 3, 4, 5})
	roundTrip(t, "strings", nil, []string{}, []string{"", "a"})
	roundTrip(t, "bools", nil, []bool{}, []bool{true, false})
	roundTrip(t, "slices", nil, [][]int{}, [][]int{nil, {}, {1}})
	roundTrip(t, "map", nil, map[string]int{}, map[string]int{"": 0, "b": 2})
	roundTrip(t, "map of structs", map[padded]flags{{a: 1}: {On: true}, {d: 2}: {}})
	roundTrip(t, "map of maps", map[int8]map[string]string{1: {"a": "b"}, 2: nil})
	roundTrip(t, "empty struct", struct{}{})
	roundTrip(t, "empty structs", nil, []struct{}{}, make([]struct{}, 1000))
	roundTrip(t, "empty map value", map[string]struct{}{"a": {}})
	roundTrip(t, "array", [3]string{"a", "", "c"})
	roundTrip(t, "empty array", [0]func(){})
	roundTrip(t, "pointer", nil, new(5))
	roundTrip(t, "pointer to empty", nil, &struct{}{})
	roundTrip(t, "padded", padded{1, 2, 3, 4})
	roundTrip(t, "paddeds", []padded{{1, 2, 3, 4}, {}, {a: 9}})
	roundTrip(t, "rich", rich{}, fullRich())
	roundTrip(t, "riches", []rich{fullRich(), {}, fullRich()})
	roundTrip(t, "recursive", node{}, node{1, &node{Val: 2}, []node{{Val: 3}, {}}, map[string]node{"x": {}}})
	roundTrip(t, "any", nil, any(1), any(int8(-1)), any("s"), any([]any{}), any(map[string]any(nil)),
		any(time.Minute), any([]string{"a"}), any([]float64{1}), any(map[string]int{"a": 1}), any(uint(3)), any(float32(1)))
	roundTrip(t, "anys", []any{nil, 1, []any{[]any{"deep"}}, map[string]any{"t": time.Unix(1, 2).UTC()}})
}

// Types of the standard library, by their own methods or by their kind.
func TestRoundTripStandardTypes(t *testing.T) {
	roundTrip(t, "time", time.Time{}, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	roundTrip(t, "time zone", time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 5400)))
	roundTrip(t, "times", []time.Time{time.Unix(5, 0).UTC(), {}})
	roundTrip(t, "time keys", map[time.Time]int{time.Unix(5, 0).UTC(): 1})
	roundTrip(t, "big.Int", *new(big.Int).Lsh(big.NewInt(-3), 200))
	roundTrip(t, "*big.Rat", nil, big.NewRat(1, 3))
	roundTrip(t, "*big.Float", new(big.Float).SetPrec(300).SetInt64(7))
	roundTrip(t, "netip.Addr keys", map[netip.Addr]int{netip.MustParseAddr("fe80::1%eth0"): 1, {}: 2})
	roundTrip(t, "url", url.URL{Scheme: "https", Host: "h", Path: "/p", User: url.UserPassword("u", "p")})
	roundTrip(t, "regexp", regexp.MustCompile(`a+(b|c)`)) // kind refused, text taken
	roundTrip(t, "bytes.Buffer", *bytes.NewBufferString("abc"))
}

// roundTrip sends each value and compares what arrives; and that the size was
// foretold, that no part of the encoding decodes, that the bytes are not kept.
func roundTrip[T any](t *testing.T, title string, values ...T) {
	t.Helper()
	t.Run(title, func(t *testing.T) {
		c := must[T](t)
		for i, in := range values {
			src, err := c.Append([]byte("before"), &in, nil)
			if err != nil {
				t.Fatalf("value %d: Append: %v", i, err)
			}
			src, ok := bytes.CutPrefix(src, []byte("before"))
			if !ok {
				t.Fatalf("value %d: Append changed what was there before", i)
			}
			if n, exact := c.Size(&in); n > len(src) || exact && n != len(src) {
				t.Errorf("value %d: Size = %d, %v; the encoding has %d bytes", i, n, exact, len(src))
			}
			for cut := range min(len(src), 500) {
				if err := c.Decode(src[:cut], new(T), nil); err == nil {
					t.Fatalf("value %d: %d of %d bytes decode without an error", i, cut, len(src))
				}
			}
			out := in // what was there before must not matter
			if err := c.Decode(src, &out, nil); err != nil {
				t.Fatalf("value %d: Decode: %v", i, err)
			}
			for j := range src {
				src[j] = 0xA5
			}
			if !reflect.DeepEqual(in, out) {
				t.Errorf("value %d: got %#v, want %#v", i, out, in)
			}
		}
	})
}

func TestPaddingStays(t *testing.T) {
	v := padded{1, 2, 3, 4}
	got, err := must[padded](t).Append(nil, &v, nil)
	if err != nil || len(got) != 14 {
		t.Errorf("padded is %d bytes, %v; want the 14 of its fields", len(got), err)
	}
	got, err = must[[]padded](t).Append(nil, &[]padded{v, v}, nil)
	if err != nil || len(got) != 1+2*14 {
		t.Errorf("[]padded is %d bytes, %v; want the 29 of a count and the fields", len(got), err)
	}
}

func TestMonotonicTimeStays(t *testing.T) {
	in, out := time.Now(), time.Time{}
	c := must[time.Time](t)
	src, err := c.Append(nil, &in, nil)
	if err == nil {
		err = c.Decode(src, &out, nil)
	}
	if err != nil || !out.Equal(in) || out != out.Round(0) {
		t.Errorf("got %v, %v; want %v without the monotonic part", out, err, in)
	}
}

func TestNaNKeys(t *testing.T) {
	in := map[float64]int{math.NaN(): 1, math.Copysign(math.NaN(), -1): 2, 0: 3}
	c, out := must[map[float64]int](t), map[float64]int(nil)
	src, err := c.Append(nil, &in, nil)
	if err == nil {
		err = c.Decode(src, &out, nil)
	}
	if err != nil || len(out) != 3 || out[0] != 3 {
		t.Errorf("got %v, %v; want three keys", out, err)
	}
}
