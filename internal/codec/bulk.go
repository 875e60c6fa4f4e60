package codec

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"
)

// nowhere is what slices without memory of their own point to.
var nowhere uint64

// maxEmpty bounds the length of a slice whose elements have no content: it
// takes no bytes to claim more.
const maxEmpty = 1 << 20

// bulkCoder is a slice whose elements lie in memory as they travel: one copy.
type bulkCoder struct {
	elem  *program
	bools bool // bytes to be checked
}

func (c *bulkCoder) append(dst []byte, p unsafe.Pointer, h *Handles, _ int) ([]byte, error) {
	// SAFETY: p is a slice, whatever its element.
	s := *(*header)(p)
	if s.data == nil {
		return append(dst, 0), nil
	}
	if c.elem.mem == 0 && s.len > maxEmpty {
		return nil, fmt.Errorf("%d elements without content; at most %d can travel", s.len, maxEmpty)
	}
	n := s.len * int(c.elem.mem)
	if n >= Large {
		return putAside(binary.AppendUvarint(dst, uint64(s.len)+1), bytesAt(s.data, n), h), nil
	}
	dst = slices.Grow(dst, countLen(uint64(s.len)+1)+n)
	dst = binary.AppendUvarint(dst, uint64(s.len)+1)
	return append(dst, bytesAt(s.data, n)...), nil
}

func (c *bulkCoder) decode(src []byte, p unsafe.Pointer, h *Handles, _ int) ([]byte, error) {
	n, src, err := takeCount(src)
	if err != nil {
		return nil, err
	}
	// SAFETY: p is a slice, whatever its element; so below.
	s := (*header)(p)
	size := product(n, int(c.elem.mem))
	if size < Large {
		if err := fits(n, int(c.elem.mem), src); err != nil {
			return nil, err
		}
	}
	switch {
	case n < 0:
		*s = header{}
	case size == 0:
		if n > maxEmpty {
			return nil, fmt.Errorf("%d elements without content; at most %d can travel", n, maxEmpty)
		}
		// SAFETY: n elements of no bytes, or no elements: never read or written.
		*s = header{unsafe.Pointer(&nowhere), n, n}
	case size >= Large:
		b, rest, err := takeAside(src, size, h)
		if err != nil {
			return nil, err
		}
		data := clone(b, uintptr(c.elem.typ.Align()))
		if c.bools && !bools(bytesAt(data, size)) { // the copy: a peer may still write to b
			return nil, errBool
		}
		*s, src = header{data, n, n}, rest
	default:
		if c.bools && !bools(src[:size]) {
			return nil, errBool
		}
		*s = header{clone(src[:size], uintptr(c.elem.typ.Align())), n, n}
		src = src[size:]
	}
	return src, nil
}

// bools reports whether all bytes of b are bools.
func bools(b []byte) bool {
	return !slices.ContainsFunc(b, func(b byte) bool { return b > 1 })
}

func (c *bulkCoder) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is a slice.
	n := (*header)(p).len
	return bulkSize(n, n*int(c.elem.mem)), true
}

// bulkSize is the size of the encoding of a slice of n elements and size bytes.
func bulkSize(n, size int) int {
	if size >= Large {
		size++ // how they travel
	}
	return countLen(uint64(n)+1) + size
}

// clone is a copy of b at an aligned address, in memory without pointers.
func clone(b []byte, align uintptr) unsafe.Pointer {
	var data []byte
	if len(b) < splits {
		data = make([]byte, len(b)) // these two lines together are compiled to one that does not clear the memory first
		copy(data, b)
	} else {
		data = raw(len(b))
		parallel(data, b)
	}
	// SAFETY: the caller's slice header keeps data alive. The runtime aligns
	// memory by its size, which is enough for every type, but does not
	// promise so; where it were not, words are aligned for all plain types.
	p := unsafe.Pointer(unsafe.SliceData(data))
	if uintptr(p)&(align-1) != 0 {
		words := make([]uint64, (len(b)+7)/8)
		p = unsafe.Pointer(unsafe.SliceData(words))
		copy(bytesAt(p, len(b)), b)
	}
	return p
}
