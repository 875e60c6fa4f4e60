package codec

import (
	"encoding/binary"
	"reflect"
	"unsafe"
)

// typedMap is a map of one of the types in commonMap, without reflection.
type typedMap[K comparable, V any] struct{ key, val *program }

func (c *typedMap[K, V]) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	// SAFETY: p is a map whose underlying type is map[K]V.
	m := *(*map[K]V)(p)
	if m == nil {
		return append(dst, 0), nil
	}
	n := len(m)
	if n > 0 && depth >= MaxDepth {
		return nil, errDeep
	}
	dst = binary.AppendUvarint(dst, uint64(n)+1)
	var entry struct { // one allocation for all entries: coders take pointers
		key K
		val V
	}
	for entry.key, entry.val = range m {
		// SAFETY: key and val are of the types that c.key and c.val were compiled for.
		if dst, err = c.key.append(dst, unsafe.Pointer(&entry.key), h, depth+1); err == nil {
			dst, err = c.val.append(dst, unsafe.Pointer(&entry.val), h, depth+1)
		}
		if err != nil {
			return nil, at("[…]", err)
		}
		n--
	}
	if n != 0 {
		return nil, errChanged
	}
	return dst, nil
}

func (c *typedMap[K, V]) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	n, src, err := takeEntries(src, c.key, c.val, depth)
	if err != nil {
		return nil, err
	}
	// SAFETY: p is a map whose underlying type is map[K]V.
	place := (*map[K]V)(p)
	if n < 0 {
		*place = nil
		return src, nil
	}
	m := make(map[K]V, roomFor(n, c.key, c.val, src))
	*place = m
	var entry struct {
		key K
		val V
	}
	for i := range n {
		// SAFETY: as in append.
		if src, err = c.key.decode(src, unsafe.Pointer(&entry.key), h, depth+1); err == nil {
			src, err = c.val.decode(src, unsafe.Pointer(&entry.val), h, depth+1)
		}
		if err != nil {
			return nil, at("[…]", err)
		}
		if m[entry.key] = entry.val; len(m) != i+1 {
			return nil, errTwice
		}
	}
	return src, nil
}

func (c *typedMap[K, V]) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is a map whose underlying type is map[K]V.
	return measureMap(len(*(*map[K]V)(p)), c.key, c.val)
}

// commonMap is the coder of a map that is worth code of its own, or nil. Named
// types with the same keys and values use it too.
func commonMap(key, val *program) coder {
	switch [2]reflect.Type{key.typ, val.typ} {
	case pair[string, string]():
		return &typedMap[string, string]{key, val}
	case pair[string, int]():
		return &typedMap[string, int]{key, val}
	case pair[string, int64]():
		return &typedMap[string, int64]{key, val}
	case pair[string, float64]():
		return &typedMap[string, float64]{key, val}
	case pair[string, bool]():
		return &typedMap[string, bool]{key, val}
	case pair[string, struct{}]():
		return &typedMap[string, struct{}]{key, val}
	case pair[string, []byte]():
		return &typedMap[string, []byte]{key, val}
	case pair[string, []string]():
		return &typedMap[string, []string]{key, val}
	case pair[string, any]():
		return &typedMap[string, any]{key, val}
	case pair[int, int]():
		return &typedMap[int, int]{key, val}
	case pair[int, string]():
		return &typedMap[int, string]{key, val}
	case pair[int, float64]():
		return &typedMap[int, float64]{key, val}
	}
	return nil
}

func pair[K, V any]() [2]reflect.Type {
	return [2]reflect.Type{reflect.TypeFor[K](), reflect.TypeFor[V]()}
}
