package codec_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
)

type point struct{ X, Y int32 }

// Values back to back come out one after the other, whatever their type.
func TestDecodeNext(t *testing.T) {
	follow(t, 1, -2, 3)
	follow(t, "", "a", string(make([]byte, 300)))
	follow(t, point{1, 2}, point{}, point{-1, 1 << 30})
	follow(t, true, false, true)
	follow(t, struct{}{}, struct{}{}, struct{}{})
}

func follow[T comparable](t *testing.T, vs ...T) {
	t.Helper()
	c, err := codec.Of[T]()
	var b []byte
	for i := range vs {
		if err == nil {
			b, err = c.Append(b, &vs[i], nil)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	size, plain := c.Plain()
	if plain {
		all := codec.AppendPlain([]byte("x"), vs)
		one := make([]byte, size)
		codec.StorePlain(one, vs[0])
		if !bytes.Equal(all[1:], b) || !bytes.Equal(one, b[:size]) {
			t.Errorf("%T: AppendPlain or StorePlain writes other bytes than Append", vs[0])
		}
	}
	rest := append([]byte{9}, b...)[1:] // not aligned
	for i, want := range vs {
		if plain && codec.LoadPlain[T](rest) != want {
			t.Errorf("%T %d: LoadPlain has another value", want, i)
		}
		var got T
		if rest, err = c.DecodeNext(rest, &got); err != nil || got != want {
			t.Errorf("%T %d: got %v, %v", want, i, got, err)
		}
	}
	if len(rest) > 0 {
		t.Errorf("%T: %d bytes are left over", vs[0], len(rest))
	}
	if size > 0 || !plain {
		before := slices.Clone(b[:len(b)-1])
		var got, zero T
		for err = nil; err == nil; {
			before, err = c.DecodeNext(before, &got)
		}
		if got != zero {
			t.Errorf("%T: after an error the value is %v", got, got)
		}
	}
}
