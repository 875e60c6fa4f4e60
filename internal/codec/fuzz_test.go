package codec_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/codec"
)

// decoder tries src as one type; it is told nothing but that it must not crash.
type decoder func(t *testing.T, src []byte)

// decoders are the types that FuzzDecode tries, each with a seed that is good.
func decoders(f *testing.F) (all []decoder, seeds [][]byte) {
	add := func(d decoder, seed []byte) { all, seeds = append(all, d), append(seeds, seed) }
	add(fuzzed(f, fullRich()))
	add(fuzzed(f, node{1, &node{Val: 2}, []node{{Val: 3}}, map[string]node{"x": {}}}))
	add(fuzzed(f, []any{nil, 1, "s", map[string]any{"t": time.Unix(1, 2).UTC()}, []string{"a"}}))
	add(fuzzed(f, map[time.Time]string{time.Unix(5, 0).UTC(): "x"}))
	add(fuzzed(f, map[string][]float64{"a": {1, math.NaN()}}))
	add(fuzzed(f, []tower{{}, {{}, nil}}))
	add(fuzzed(f, []opError{{"read", nil}}))
	add(fuzzed(f, []*faulty{{"fine"}, nil}))
	add(fuzzed(f, *mixed()))
	return all, seeds
}

// fuzzed decodes src; what decodes can be encoded, and that decodes again to
// as many bytes.
func fuzzed[T any](f *testing.F, seed T) (decoder, []byte) {
	c := must[T](f)
	src, err := c.Append(nil, &seed, nil)
	if err != nil {
		f.Fatal(err)
	}
	return func(t *testing.T, src []byte) {
		var v, again T
		h := new(codec.Handles)
		if err := c.Decode(src, &v, h); err != nil {
			if !reflect.ValueOf(&v).Elem().IsZero() {
				t.Errorf("%T: half a value is left after %v", v, err)
			}
			return
		}
		one, err := c.Append(nil, &v, h)
		if err != nil {
			if _, ok := any(v).([]*faulty); ok {
				return // made to fail
			}
			t.Fatalf("%T: what was decoded cannot be encoded: %v", v, err)
		}
		if err := c.Decode(one, &again, nil); err != nil {
			t.Fatalf("%T: what was encoded cannot be decoded: %v", v, err)
		}
		two, err := c.Append(nil, &again, nil)
		if err != nil || len(one) != len(two) {
			t.Errorf("%T: %d bytes became %d, %v", v, len(one), len(two), err)
		}
	}, src
}

func FuzzDecode(f *testing.F) {
	setHooks(f)
	all, seeds := decoders(f)
	for i, seed := range seeds {
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, which uint8, src []byte) {
		before := bytes.Clone(src)
		all[int(which)%len(all)](t, src)
		if !bytes.Equal(src, before) {
			t.Error("decoding changed its input")
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	type value struct {
		on    bool
		n     int64
		word  string
		body  []byte
		x     float64
		words []string
		by    map[string]*value
		any   any
	}
	c := must[value](f)
	f.Add(true, int64(-1), "word", []byte("body"), 1.5)
	f.Add(false, int64(0), "", []byte(nil), 0.0)
	f.Fuzz(func(t *testing.T, on bool, n int64, word string, body []byte, x float64) {
		if math.IsNaN(x) {
			x = 0 // equal to nothing
		}
		in := value{on, n, word, body, x, []string{word, string(body)}, nil, []any{word, n, body, x, on}}
		in.by = map[string]*value{word: {body: body}, string(body): nil}
		src, err := c.Append(nil, &in, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out value
		if err := c.Decode(src, &out, nil); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(in, out) {
			t.Errorf("got %#v, want %#v", out, in)
		}
	})
}
