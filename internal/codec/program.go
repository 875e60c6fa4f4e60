package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"sync"
	"unsafe"
)

// program is one compiled type. It is filled by the compiler, which may hand
// it out before (a type that contains itself), and does not change afterwards.
type program struct {
	coder
	typ reflect.Type
	mem uintptr // bytes in memory

	// min is the shortest encoding. It is 0 only where mem is 0 too, so that
	// dividing what is left by it bounds every count.
	min   int
	fixed bool // every encoding has min bytes
	plain bool // the encoding is the memory itself: no padding, pointer or bool
	free  bool // free of pointers: its memory may be one the collector skips
	flat  bool // measure takes constant time

	door string // which methods encode it, "" by its kind

	hash     uint64
	hashOnce sync.Once
}

// A coder encodes and decodes memory of one type. Values of the state (the
// place in the bytes, the handles, the depth) are arguments and results and not
// fields of an encoder: passed through an interface, a struct of them would
// be allocated on every call.
type coder interface {
	// append adds the encoding of the value at p to dst.
	append(dst []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error)
	// decode sets the value at p, which is zero or garbage of its type, from
	// the start of src and returns the rest of src.
	decode(src []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error)
	// measure is Codec.Size for the value at p.
	measure(p unsafe.Pointer) (n int, exact bool)
}

var (
	errShort = errors.New("the bytes end too early")
	errDeep  = errors.New("nested deeper than 1000: a cycle of pointers?; send a value without cycles, " +
		"or give its type MarshalBinary and UnmarshalBinary")
)

// takeCount reads the count of a slice or map, -1 for nil. The caller checks it
// against what is left.
func takeCount(src []byte) (n int, rest []byte, err error) {
	if len(src) > 0 && src[0] < 0x80 {
		return int(src[0]) - 1, src[1:], nil
	}
	u, k := binary.Uvarint(src)
	if k <= 0 {
		return 0, nil, errShort
	}
	if u-1 > math.MaxInt {
		return 0, nil, fmt.Errorf("a count of %d is impossible", u-1)
	}
	return int(u - 1), src[k:], nil
}

// fits says whether n elements of at least least bytes can be in what is left.
func fits(n, least int, rest []byte) error {
	if least > 0 && n > len(rest)/least {
		return fmt.Errorf("a count of %d does not fit into the %d bytes left", n, len(rest))
	}
	return nil
}

// takeFrame reads a length and so many bytes; body is part of src.
func takeFrame(src []byte) (body, rest []byte, err error) {
	var n uint64
	if len(src) > 0 && src[0] < 0x80 {
		n, src = uint64(src[0]), src[1:]
	} else {
		var k int
		if n, k = binary.Uvarint(src); k <= 0 {
			return nil, nil, errShort
		}
		src = src[k:]
	}
	if n > uint64(len(src)) {
		return nil, nil, errShort
	}
	return src[:n:n], src[n:], nil
}

// closeFrame writes the length of a frame whose body is all of dst behind the
// one byte that was left at start. Longer lengths move the body: it was
// produced byte by byte just before, moving is the smaller part.
func closeFrame(dst []byte, start int) []byte {
	n := len(dst) - start - 1
	if n < 0x80 {
		dst[start] = byte(n)
		return dst
	}
	k := countLen(uint64(n))
	var room [binary.MaxVarintLen64]byte
	dst = append(dst, room[:k-1]...)
	copy(dst[start+k:], dst[start+1:start+1+n])
	binary.PutUvarint(dst[start:], uint64(n))
	return dst
}

// countLen is the length of u as a uvarint.
func countLen(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }

// add is p moved by n bytes.
func add(p unsafe.Pointer, n uintptr) unsafe.Pointer {
	// SAFETY: callers stay inside the object at p: n is a field's offset or
	// a multiple of an element's size below the length.
	return unsafe.Add(p, n)
}
