package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unsafe"
)

// plainCoder copies n bytes of memory: numbers, and arrays and structs of
// numbers without padding. With n = 0 it is the coder of types without content.
type plainCoder struct{ n int }

func (c plainCoder) append(dst []byte, p unsafe.Pointer, _ *Handles, _ int) ([]byte, error) {
	return append(dst, bytesAt(p, c.n)...), nil
}

func (c plainCoder) decode(src []byte, p unsafe.Pointer, _ *Handles, _ int) ([]byte, error) {
	if len(src) < c.n {
		return nil, errShort
	}
	copy(bytesAt(p, c.n), src)
	return src[c.n:], nil
}

func (c plainCoder) measure(unsafe.Pointer) (int, bool) { return c.n, true }

// bytesAt is the memory at p as bytes, to be read or written at once.
func bytesAt(p unsafe.Pointer, n int) []byte {
	// SAFETY: p is memory of a plain type of n bytes that the caller keeps
	// alive; bytes need no alignment, and there are no pointers in it that the
	// collector would have to hear of.
	return unsafe.Slice((*byte)(p), n)
}

// boolCoder is one byte, 0 or 1. Any other byte in a bool is undefined
// behaviour in Go, so it must not come in from another process.
type boolCoder struct{}

var errBool = errors.New("a bool is neither 0 nor 1")

func (boolCoder) append(dst []byte, p unsafe.Pointer, _ *Handles, _ int) ([]byte, error) {
	// SAFETY: p is a bool's one byte.
	return append(dst, *(*byte)(p)), nil
}

func (boolCoder) decode(src []byte, p unsafe.Pointer, _ *Handles, _ int) ([]byte, error) {
	if len(src) < 1 {
		return nil, errShort
	}
	if src[0] > 1 {
		return nil, errBool
	}
	// SAFETY: p is a bool's one byte, and the value is a valid bool.
	*(*byte)(p) = src[0]
	return src[1:], nil
}

func (boolCoder) measure(unsafe.Pointer) (int, bool) { return 1, true }

// wordCoder is an int or uint on a machine where they have four bytes. With
// eight they are plain.
type wordCoder struct{ signed bool }

const wideWords = strconv.IntSize == 64

func (c wordCoder) append(dst []byte, p unsafe.Pointer, _ *Handles, _ int) ([]byte, error) {
	if c.signed {
		// SAFETY: p is an int.
		return binary.NativeEndian.AppendUint64(dst, uint64(int64(*(*int)(p)))), nil
	}
	// SAFETY: p is a uint.
	return binary.NativeEndian.AppendUint64(dst, uint64(*(*uint)(p))), nil
}

func (c wordCoder) decode(src []byte, p unsafe.Pointer, _ *Handles, _ int) ([]byte, error) {
	if len(src) < 8 {
		return nil, errShort
	}
	u := binary.NativeEndian.Uint64(src)
	if c.signed {
		if int64(int(u)) != int64(u) {
			return nil, errors.New("an int is too large for this machine")
		}
		// SAFETY: p is an int.
		*(*int)(p) = int(u)
		return src[8:], nil
	}
	if uint64(uint(u)) != u {
		return nil, errors.New("a uint is too large for this machine")
	}
	// SAFETY: p is a uint.
	*(*uint)(p) = uint(u)
	return src[8:], nil
}

func (wordCoder) measure(unsafe.Pointer) (int, bool) { return 8, true }

// stringCoder is a length and the bytes, which may go aside.
type stringCoder struct{}

func (stringCoder) append(dst []byte, p unsafe.Pointer, h *Handles, _ int) ([]byte, error) {
	// SAFETY: p is a string, whatever its named type.
	s := *(*string)(p)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	if len(s) >= Large {
		// SAFETY: the bytes of s are read and not written.
		return putAside(dst, unsafe.Slice(unsafe.StringData(s), len(s)), h), nil
	}
	return append(dst, s...), nil
}

func (stringCoder) decode(src []byte, p unsafe.Pointer, h *Handles, _ int) ([]byte, error) {
	if len(src) > 2 && src[0] >= 0x80 && src[1] >= 0x80 { // three bytes of length
		if n, k := binary.Uvarint(src); k > 0 && n >= Large && n <= math.MaxInt {
			return decodeText(src[k:], int(n), p, h)
		}
	}
	body, rest, err := takeFrame(src)
	if err != nil {
		return nil, err
	}
	// SAFETY: p is a string; the conversion copies, so it does not share src.
	*(*string)(p) = string(body)
	return rest, nil
}

func (stringCoder) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is a string.
	return textSize(len(*(*string)(p))), true
}

// decodeText decodes a large string, of n bytes.
func decodeText(src []byte, n int, p unsafe.Pointer, h *Handles) ([]byte, error) {
	body, rest, err := takeAside(src, n, h)
	if err != nil {
		return nil, err
	}
	// SAFETY: p is a string; nobody else has the copy.
	*(*string)(p) = unsafe.String((*byte)(clone(body, 1)), len(body))
	return rest, nil
}

// textSize is the size of the encoding of a string of n bytes.
func textSize(n int) int {
	size := countLen(uint64(n)) + n
	if n >= Large {
		size++ // how it travels
	}
	return size
}
