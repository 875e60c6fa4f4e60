package codec

import (
	"errors"
	"reflect"
	"unsafe"
)

// pointerCoder is a byte 0 for nil, or 1 and what it points to.
type pointerCoder struct{ elem *program }

var errFlag = errors.New("a pointer is neither nil (0) nor set (1)")

func (c *pointerCoder) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	// SAFETY: p is a pointer, to whatever type.
	q := *(*unsafe.Pointer)(p)
	if q == nil {
		return append(dst, 0), nil
	}
	if depth >= MaxDepth {
		return nil, errDeep
	}
	return c.elem.append(append(dst, 1), q, h, depth+1)
}

func (c *pointerCoder) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	set, src, err := takeFlag(src)
	if err != nil {
		return nil, err
	}
	if !set {
		// SAFETY: p is a pointer, to whatever type.
		*(*unsafe.Pointer)(p) = nil
		return src, nil
	}
	if depth >= MaxDepth {
		return nil, errDeep
	}
	if len(src) < c.elem.min {
		return nil, errShort
	}
	q := reflect.New(c.elem.typ).UnsafePointer()
	// SAFETY: p is a pointer to c.elem.typ, which is what q points to.
	*(*unsafe.Pointer)(p) = q
	return c.elem.decode(src, q, h, depth+1)
}

func (c *pointerCoder) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is a pointer.
	q := *(*unsafe.Pointer)(p)
	switch {
	case q == nil:
		return 1, true
	case c.elem.fixed:
		return 1 + c.elem.min, true
	case !c.elem.flat:
		return 1 + c.elem.min, false
	}
	n, exact := c.elem.measure(q)
	return 1 + n, exact
}

// takeFlag reads the byte that says whether there is anything.
func takeFlag(src []byte) (set bool, rest []byte, err error) {
	if len(src) < 1 {
		return false, nil, errShort
	}
	if src[0] > 1 {
		return false, nil, errFlag
	}
	return src[0] == 1, src[1:], nil
}

// arrayCoder is n elements that are not plain.
type arrayCoder struct {
	elem *program
	n    int
}

func (c *arrayCoder) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	for i := range c.n {
		if dst, err = c.elem.append(dst, add(p, uintptr(i)*c.elem.mem), h, depth); err != nil {
			return nil, atIndex(i, err)
		}
	}
	return dst, nil
}

func (c *arrayCoder) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	for i := range c.n {
		if src, err = c.elem.decode(src, add(p, uintptr(i)*c.elem.mem), h, depth); err != nil {
			return nil, atIndex(i, err)
		}
	}
	return src, nil
}

func (c *arrayCoder) measure(p unsafe.Pointer) (n int, exact bool) {
	exact = true
	for i := range c.n {
		m, ok := c.elem.measure(add(p, uintptr(i)*c.elem.mem))
		n, exact = n+m, exact && ok
	}
	return n, exact
}
