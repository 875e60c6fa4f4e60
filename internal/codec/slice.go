package codec

import (
	"encoding/binary"
	"reflect"
	"slices"
	"unsafe"
)

// header is a slice of any element type.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

// sliceCoder is a slice of elements with a coder of their own.
type sliceCoder struct {
	typ  reflect.Type
	elem *program
}

func (c *sliceCoder) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	// SAFETY: p is a slice.
	s := *(*header)(p)
	if s.data == nil {
		return append(dst, 0), nil
	}
	if s.len > 0 && depth >= MaxDepth {
		return nil, errDeep
	}
	dst = binary.AppendUvarint(dst, uint64(s.len)+1)
	dst = slices.Grow(dst, product(s.len, c.elem.min))
	for i := range s.len {
		if dst, err = c.elem.append(dst, add(s.data, uintptr(i)*c.elem.mem), h, depth+1); err != nil {
			return nil, atIndex(i, err)
		}
	}
	return dst, nil
}

func (c *sliceCoder) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	n, src, err := takeCount(src)
	if err == nil {
		err = fits(n, c.elem.min, src)
	}
	if err != nil {
		return nil, err
	}
	// SAFETY: p is a slice; so are the writes below.
	s := (*header)(p)
	if n <= 0 {
		*s = header{}
		if n == 0 {
			s.data = unsafe.Pointer(&nowhere)
		}
		return src, nil
	}
	if depth >= MaxDepth {
		return nil, errDeep
	}
	room := n
	if most := 32*uint64(len(src))/uint64(max(c.elem.mem, 1)) + 1; most < uint64(n) {
		room = int(most) // much memory for few bytes: believe the count step by step
	}
	c.make(s, room)
	for i := range n {
		if i == s.len {
			c.grow(s, min(n, 2*i))
		}
		if src, err = c.elem.decode(src, add(s.data, uintptr(i)*c.elem.mem), h, depth+1); err != nil {
			return nil, atIndex(i, err)
		}
	}
	return src, nil
}

func (c *sliceCoder) measure(p unsafe.Pointer) (n int, exact bool) {
	// SAFETY: p is a slice.
	s := *(*header)(p)
	n = countLen(uint64(s.len) + 1)
	if !c.elem.flat || c.elem.fixed {
		return sum(n, product(s.len, c.elem.min)), c.elem.fixed || s.len == 0
	}
	exact = true
	for i := range s.len {
		m, ok := c.elem.measure(add(s.data, uintptr(i)*c.elem.mem))
		n, exact = n+m, exact && ok
	}
	return n, exact
}

// make sets *s to n zero elements.
func (c *sliceCoder) make(s *header, n int) {
	var data unsafe.Pointer
	// SAFETY: in each case the memory has the size, the alignment and the
	// pointers of n elements: all types of a kind are alike in that.
	switch kind := c.elem.typ.Kind(); {
	case c.elem.free:
		data = unsafe.Pointer(unsafe.SliceData(make([]uint64, (uintptr(n)*c.elem.mem+7)/8)))
	case kind == reflect.String:
		data = unsafe.Pointer(unsafe.SliceData(make([]string, n)))
	case kind == reflect.Slice:
		data = unsafe.Pointer(unsafe.SliceData(make([][]byte, n)))
	case kind == reflect.Pointer || kind == reflect.Map:
		data = unsafe.Pointer(unsafe.SliceData(make([]unsafe.Pointer, n)))
	default:
		*s = header{}
		c.grow(s, n)
		return
	}
	*s = header{data, n, n}
}

// grow makes *s longer, up to n elements; what is new is zero.
func (c *sliceCoder) grow(s *header, n int) {
	// SAFETY: s is a slice of type c.typ, in memory that the caller holds.
	v := reflect.NewAt(c.typ, unsafe.Pointer(s)).Elem()
	v.Grow(n - s.len)
	v.SetLen(n)
}
