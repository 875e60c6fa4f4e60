package codec

import (
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// dynamics are the types that an any may hold besides nil, in the order of
// their tags, which start at 1. The list is closed: a name of a type in
// the bytes would let a worker choose what its parent builds. It is made at
// the first any that is encoded or decoded.
var dynamics = sync.OnceValue(func() []*dynamic {
	return []*dynamic{
		dynamicOf[bool](),
		dynamicOf[int](), dynamicOf[int8](), dynamicOf[int16](), dynamicOf[int32](), dynamicOf[int64](),
		dynamicOf[uint](), dynamicOf[uint8](), dynamicOf[uint16](), dynamicOf[uint32](), dynamicOf[uint64](),
		dynamicOf[float32](), dynamicOf[float64](), dynamicOf[complex64](), dynamicOf[complex128](),
		dynamicOf[string](), dynamicOf[[]byte](), dynamicOf[time.Time](), dynamicOf[time.Duration](),
		dynamicOf[[]any](), dynamicOf[map[string]any](),
		dynamicOf[[]bool](), dynamicOf[[]int](), dynamicOf[[]int64](), dynamicOf[[]float64](), dynamicOf[[]string](),
		dynamicOf[map[string]string](), dynamicOf[map[string]int](),
	}
})

// dynamicTags is where a type is in dynamics, plus one.
var dynamicTags = sync.OnceValue(func() map[reflect.Type]int {
	tags := map[reflect.Type]int{}
	for i, d := range dynamics() {
		tags[d.prog.typ] = i + 1
	}
	return tags
})

// dynamic encodes and decodes one type inside an any.
type dynamic struct {
	prog *program
	put  func(dst []byte, x any, h *Handles, depth int) ([]byte, error)
	set  func(src []byte, x *any, h *Handles, depth int) ([]byte, error)
}

func dynamicOf[V any]() *dynamic {
	prog, err := compile(reflect.TypeFor[V]())
	if err != nil {
		panic(err) // the list above holds what travels
	}
	return &dynamic{
		prog: prog,
		put: func(dst []byte, x any, h *Handles, depth int) ([]byte, error) {
			v := x.(V)
			// SAFETY: v is a local variable of the type of prog, on the heap as it escapes.
			return prog.append(dst, unsafe.Pointer(&v), h, depth)
		},
		set: func(src []byte, x *any, h *Handles, depth int) ([]byte, error) {
			var v V
			// SAFETY: as above.
			src, err := prog.decode(src, unsafe.Pointer(&v), h, depth)
			*x = v
			return src, err
		},
	}
}

// anyCoder is a tag, 0 for nil, and the value.
type anyCoder struct{}

func (anyCoder) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	// SAFETY: p is an interface without methods, whatever its named type.
	x := *(*any)(p)
	if x == nil {
		return append(dst, 0), nil
	}
	if depth >= MaxDepth {
		return nil, errDeep
	}
	tag, ok := dynamicTags()[reflect.TypeOf(x)]
	if !ok {
		return nil, fmt.Errorf("any holds a %T, which cannot travel in it; use a field of that type, "+
			"or basic types, []any and map[string]any", x)
	}
	return dynamics()[tag-1].put(append(dst, byte(tag)), x, h, depth+1)
}

func (anyCoder) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) ([]byte, error) {
	if len(src) < 1 {
		return nil, errShort
	}
	// SAFETY: p is an interface without methods, whatever its named type.
	x, tag, src := (*any)(p), int(src[0]), src[1:]
	if tag == 0 {
		*x = nil
		return src, nil
	}
	if depth >= MaxDepth {
		return nil, errDeep
	}
	if tag > len(dynamics()) {
		return nil, fmt.Errorf("no type has the tag %d", tag)
	}
	return dynamics()[tag-1].set(src, x, h, depth+1)
}

func (anyCoder) measure(p unsafe.Pointer) (int, bool) {
	// SAFETY: p is an interface without methods.
	switch x := (*(*any)(p)).(type) {
	case nil:
		return 1, true
	case string:
		return 1 + textSize(len(x)), true
	case []byte:
		return 1 + bulkSize(len(x), len(x)), true
	}
	return 2, false
}
