//go:build linux

package main

import (
	"reflect"
	"testing"

	"github.com/tandem-go/tandem/bench/internal/drive"
)

// TestStruct: the handwritten message comes back whole, and garbage is refused.
func TestStruct(t *testing.T) {
	in := drive.NewStruct(42)
	b := appendStruct(nil, in)
	if out, err := readStruct(b); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v, %v, want %+v", out, err, in)
	}
	for n := 1; n < len(b); n++ {
		if out, err := readStruct(b[:n]); err == nil && reflect.DeepEqual(in, out) {
			t.Errorf("the first %d of %d bytes make the whole struct", n, len(b))
		}
	}
	if _, err := readStruct([]byte{0xff, 0xff, 0xff}); err == nil {
		t.Error("garbage was taken")
	}
}
