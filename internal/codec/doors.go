package codec

import (
	"encoding"
	"reflect"
)

// HandleMarshaler is a type that travels as bytes and descriptors, such as a
// shared lock. AppendHandles adds its bytes to dst and its descriptors to h,
// and keeps the descriptors. Where there is no way for descriptors h is nil,
// and [Handles.Add] gives the right error.
type HandleMarshaler interface {
	AppendHandles(dst []byte, h *Handles) ([]byte, error)
}

// HandleUnmarshaler is the other half of [HandleMarshaler], on the pointer.
// The bytes may come from a hostile process. SetHandles must not keep src. What
// it takes from h is its own, but closed under it if decoding fails later.
type HandleUnmarshaler interface {
	SetHandles(src []byte, h *Handles) error
}

// door is a pair of methods by which a type encodes itself.
type door struct {
	name string
	// fits reports whether a pointer to the type has both methods.
	fits func(ptr any) bool
	// method is the encoding one. It is asked for by a constant name: with
	// any other the linker would keep every method of every type.
	method func(reflect.Type) (reflect.Method, bool)
	put    func(dst []byte, ptr any, h *Handles) ([]byte, error)
	set    func(src []byte, ptr any, h *Handles) error
}

// doors are tried before the kind, in this order.
var doors = []*door{
	{
		name:   "handle",
		fits:   both[HandleMarshaler, HandleUnmarshaler],
		method: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("AppendHandles") },
		put: func(dst []byte, ptr any, h *Handles) ([]byte, error) {
			return ptr.(HandleMarshaler).AppendHandles(dst, h)
		},
		set: func(src []byte, ptr any, h *Handles) error { return ptr.(HandleUnmarshaler).SetHandles(src, h) },
	},
	{
		name:   "binary",
		fits:   both[encoding.BinaryAppender, encoding.BinaryUnmarshaler],
		method: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("AppendBinary") },
		put: func(dst []byte, ptr any, _ *Handles) ([]byte, error) {
			return ptr.(encoding.BinaryAppender).AppendBinary(dst)
		},
		set: func(src []byte, ptr any, _ *Handles) error {
			return ptr.(encoding.BinaryUnmarshaler).UnmarshalBinary(src)
		},
	},
	{
		name:   "binary",
		fits:   both[encoding.BinaryMarshaler, encoding.BinaryUnmarshaler],
		method: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("MarshalBinary") },
		put: func(dst []byte, ptr any, _ *Handles) ([]byte, error) {
			body, err := ptr.(encoding.BinaryMarshaler).MarshalBinary()
			return append(dst, body...), err
		},
		set: func(src []byte, ptr any, _ *Handles) error {
			return ptr.(encoding.BinaryUnmarshaler).UnmarshalBinary(src)
		},
	},
	{
		name:   "gob",
		fits:   both[gobEncoder, gobDecoder],
		method: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("GobEncode") },
		put: func(dst []byte, ptr any, _ *Handles) ([]byte, error) {
			body, err := ptr.(gobEncoder).GobEncode()
			return append(dst, body...), err
		},
		set: func(src []byte, ptr any, _ *Handles) error { return ptr.(gobDecoder).GobDecode(src) },
	},
	{
		name:   "protobuf",
		fits:   both[protoMarshaler, protoUnmarshaler],
		method: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("Marshal") },
		put: func(dst []byte, ptr any, _ *Handles) ([]byte, error) {
			body, err := ptr.(protoMarshaler).Marshal()
			return append(dst, body...), err
		},
		set: func(src []byte, ptr any, _ *Handles) error { return ptr.(protoUnmarshaler).Unmarshal(src) },
	},
}

// lastDoors are for types whose kind cannot travel.
var lastDoors = []*door{
	{
		name:   "text",
		fits:   both[encoding.TextMarshaler, encoding.TextUnmarshaler],
		method: func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("MarshalText") },
		put: func(dst []byte, ptr any, _ *Handles) ([]byte, error) {
			body, err := ptr.(encoding.TextMarshaler).MarshalText()
			return append(dst, body...), err
		},
		set: func(src []byte, ptr any, _ *Handles) error {
			return ptr.(encoding.TextUnmarshaler).UnmarshalText(src)
		},
	},
}

// The shapes of encoding/gob and of generated protocol buffers, without linking
// either package.
type (
	gobEncoder       interface{ GobEncode() ([]byte, error) }
	gobDecoder       interface{ GobDecode([]byte) error }
	protoMarshaler   interface{ Marshal() ([]byte, error) }
	protoUnmarshaler interface{ Unmarshal([]byte) error }
)

func both[Out, In any](ptr any) bool {
	_, out := ptr.(Out)
	_, in := ptr.(In)
	return out && in
}
