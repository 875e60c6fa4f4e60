package codec_test

import (
	"bytes"
	"encoding/gob"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/tandem-go/tandem/internal/codec"
)

// Mixed is what a small argument looks like, about 150 bytes.
type Mixed struct {
	ID      int
	Name    string
	Samples []float64
}

func mixed() *Mixed {
	m := &Mixed{42, "a short name", make([]float64, 16)}
	for i := range m.Samples {
		m.Samples[i] = float64(i) * 1.5
	}
	return m
}

// Both ways, as every call does it; the rivals in their fastest usual form.
func BenchmarkMixed(b *testing.B) {
	b.Run("codec", func(b *testing.B) { bench(b, mixed()) })
	b.Run("gob stream", func(b *testing.B) {
		in, out, buf := mixed(), new(Mixed), new(bytes.Buffer)
		enc, dec := gob.NewEncoder(buf), gob.NewDecoder(buf)
		b.ReportAllocs()
		for b.Loop() {
			if err := enc.Encode(in); err != nil {
				b.Fatal(err)
			}
			*out = Mixed{}
			if err := dec.Decode(out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gob fresh", func(b *testing.B) {
		in, out, buf := mixed(), new(Mixed), new(bytes.Buffer)
		b.ReportAllocs()
		for b.Loop() {
			buf.Reset()
			if err := gob.NewEncoder(buf).Encode(in); err != nil {
				b.Fatal(err)
			}
			*out = Mixed{}
			if err := gob.NewDecoder(buf).Decode(out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cbor", func(b *testing.B) {
		enc, err := cbor.EncOptions{}.UserBufferEncMode()
		if err != nil {
			b.Fatal(err)
		}
		in, out, buf := mixed(), new(Mixed), new(bytes.Buffer)
		b.ReportAllocs()
		for b.Loop() {
			buf.Reset()
			if err := enc.MarshalToBuffer(in, buf); err != nil {
				b.Fatal(err)
			}
			*out = Mixed{}
			if err := cbor.Unmarshal(buf.Bytes(), out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	type point struct{ X, Y, Z, W float64 }
	bench(b, &[10]point{})
}

func BenchmarkBytes1MiB(b *testing.B) {
	v := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	bench(b, &v)
}

func BenchmarkStrings8(b *testing.B) {
	bench(b, &[]string{"one", "two", "three", "four", "five", "six", "seven", "eight"})
}

func BenchmarkMap4(b *testing.B) {
	bench(b, &map[string]int{"one": 1, "two": 2, "three": 3, "four": 4})
}

func BenchmarkMap4Reflect(b *testing.B) {
	type key string
	bench(b, &map[key]int{"one": 1, "two": 2, "three": 3, "four": 4})
}

func BenchmarkAny(b *testing.B) {
	v := any(map[string]any{"id": 7, "name": "x", "tags": []any{"a", 1.5, true}})
	bench(b, &v)
}

func bench[T any](b *testing.B, in *T) {
	c := must[T](b)
	out, buf := new(T), make([]byte, 0, 2<<20)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = c.Append(buf[:0], in, nil); err != nil {
			b.Fatal(err)
		}
		if err := c.Decode(buf, out, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func must[T any](t testing.TB) *codec.Codec[T] {
	t.Helper()
	c, err := codec.Of[T]()
	if err != nil {
		t.Fatalf("Of: %v", err)
	}
	return c
}
