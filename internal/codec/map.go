package codec

import (
	"encoding/binary"
	"errors"
	"reflect"
	"unsafe"
)

var (
	errTwice   = errors.New("a map has the same key twice")
	errChanged = errors.New("a map changed while it was encoded; keep writers away until the call has its input")
)

// mapCoder is any map, by reflection.
type mapCoder struct {
	typ      reflect.Type
	key, val *program
}

func (c *mapCoder) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	// SAFETY: p is a map of type c.typ.
	m := reflect.NewAt(c.typ, p).Elem()
	if m.IsNil() {
		return append(dst, 0), nil
	}
	n := m.Len()
	if n > 0 && depth >= MaxDepth {
		return nil, errDeep
	}
	dst = binary.AppendUvarint(dst, uint64(n)+1)
	key, val := reflect.New(c.key.typ), reflect.New(c.val.typ)
	for it := m.MapRange(); it.Next(); n-- {
		key.Elem().SetIterKey(it)
		val.Elem().SetIterValue(it)
		if dst, err = c.key.append(dst, key.UnsafePointer(), h, depth+1); err == nil {
			dst, err = c.val.append(dst, val.UnsafePointer(), h, depth+1)
		}
		if err != nil {
			return nil, at("[…]", err)
		}
	}
	if n != 0 {
		return nil, errChanged
	}
	return dst, nil
}

func (c *mapCoder) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	n, src, err := takeEntries(src, c.key, c.val, depth)
	if err != nil {
		return nil, err
	}
	// SAFETY: p is a map of type c.typ.
	place := reflect.NewAt(c.typ, p).Elem()
	if n < 0 {
		place.SetZero()
		return src, nil
	}
	m := reflect.MakeMapWithSize(c.typ, roomFor(n, c.key, c.val, src))
	place.Set(m)
	key, val := reflect.New(c.key.typ), reflect.New(c.val.typ)
	for i := range n {
		key.Elem().SetZero()
		val.Elem().SetZero()
		if src, err = c.key.decode(src, key.UnsafePointer(), h, depth+1); err == nil {
			src, err = c.val.decode(src, val.UnsafePointer(), h, depth+1)
		}
		if err != nil {
			return nil, at("[…]", err)
		}
		if m.SetMapIndex(key.Elem(), val.Elem()); m.Len() != i+1 {
			return nil, errTwice // found by the length: NaN is a new key every time
		}
	}
	return src, nil
}

func (c *mapCoder) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is a map of type c.typ.
	return measureMap(reflect.NewAt(c.typ, p).Elem().Len(), c.key, c.val)
}

// takeEntries reads and checks the count of a map, -1 for nil.
func takeEntries(src []byte, key, val *program, depth int) (n int, rest []byte, err error) {
	n, rest, err = takeCount(src)
	if err == nil {
		err = fits(n, sum(key.min, val.min), rest)
	}
	if err == nil && n > 0 && depth >= MaxDepth {
		err = errDeep
	}
	return n, rest, err
}

// roomFor is how many of n entries to make room for at once.
func roomFor(n int, key, val *program, src []byte) int {
	return int(min(uint64(n), 16*uint64(len(src))/uint64(key.mem+val.mem+1)+1))
}

func measureMap(n int, key, val *program) (int, bool) {
	exact := n == 0 || key.fixed && val.fixed
	return sum(countLen(uint64(n)+1), product(n, sum(key.min, val.min))), exact
}
