package codec

import (
	"fmt"
	"unsafe"
)

// This file is for many values of one type that lie back to back: an encoding
// ends by itself, so nothing stands between them. Where it is the memory itself,
// a loop can do without a call for each value.

// Plain reports whether a T is encoded as its memory, in size bytes: numbers, and
// arrays and structs of numbers without padding. Then [AppendPlain] and
// [LoadPlain] do what Append and DecodeNext would.
func (c *Codec[T]) Plain() (size int, ok bool) { return int(c.prog.mem), c.prog.plain }

// DecodeNext sets *v to the value at the start of src and returns what follows it.
// It is Decode in all else, without descriptors.
func (c *Codec[T]) DecodeNext(src []byte, v *T) (rest []byte, err error) {
	if !c.prog.plain {
		*v = *new(T)
	}
	// SAFETY: as in Decode.
	rest, err = c.prog.decode(src, unsafe.Pointer(v), nil, 0)
	if err != nil {
		*v = *new(T)
		return src, fmt.Errorf("decode: %w", explain(c.prog.typ, err))
	}
	return rest, nil
}

// AppendPlain adds the encodings of vs to dst, in one copy. Only for a T that is Plain.
func AppendPlain[T any](dst []byte, vs []T) []byte {
	// SAFETY: the caller's slice, alive as an argument, read as the bytes that it is:
	// bytes need no alignment, and a plain T has neither padding nor pointers.
	return append(dst, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(vs))), uintptr(len(vs))*unsafe.Sizeof(*new(T)))...)
}

// StorePlain writes the encoding of v to the start of dst, which has room for it.
// Only for a T that is Plain.
func StorePlain[T any](dst []byte, v T) {
	// SAFETY: v is a variable of this function; the rest is as in AppendPlain.
	copy(dst[:unsafe.Sizeof(v)], unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)))
}

// LoadPlain is the value at the start of src, which must not be shorter than that.
// Only for a T that is Plain. It is copied out as bytes, since src is not aligned.
func LoadPlain[T any](src []byte) (v T) {
	// SAFETY: v is a variable of this function, and any bytes make a plain T.
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&v)), unsafe.Sizeof(v)), src[:unsafe.Sizeof(v)])
	return v
}
