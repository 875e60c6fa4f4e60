// Package codec turns Go values into bytes and back, for two processes that
// run the same program.
//
// [Of] compiles a type once into a small tree of coders; after that [Codec]
// walks memory and does not look at types again (maps other than the common
// ones, and pointers and slices that need typed memory, still ask reflect for
// it). Descriptors that a value holds travel beside the bytes, in [Handles].
//
// # What travels
//
// The value, with unexported fields: a task's argument is a copy, and both
// sides have the same types. For each type the first of these that fits:
//
//  1. AppendHandles and SetHandles, for what is bytes and descriptors.
//  2. *os.File, as a descriptor.
//  3. AppendBinary or MarshalBinary with UnmarshalBinary.
//  4. GobEncode with GobDecode, so that the types of math/big come exact.
//  5. Marshal() ([]byte, error) with Unmarshal([]byte) error, the shape of
//     generated protocol buffers.
//  6. Its kind: numbers, strings, slices, arrays, maps, pointers, structs.
//  7. MarshalText with UnmarshalText, where the kind cannot travel. Text comes
//     last because it often says less than the value (a redacted password,
//     a shortened number); the kind never does.
//
// Methods that a struct only got by embedding a field are not used: they know
// nothing of its other fields.
//
// Two interface types travel: error (through the hooks [AppendError] and
// [DecodeError]) and any, which may hold a type of the closed list in
// dynamic.go and comes back with that type. An open general codec was
// not taken for any: CBOR brings an int back as uint64 and a []string as []any.
//
// Nil and empty slices and maps stay apart. Two pointers to one variable
// arrive as two variables. Padding between fields is never sent.
//
// # What does not
//
// Channels, functions, unsafe.Pointer, uintptr (an address or a number of this
// process), other interfaces, locks and atomics, connections. [Of] refuses
// them and names the field.
//
// # The bytes
//
// Memory order and sizes of this machine, except that int and uint are always
// eight bytes; [Codec.Schema] covers the byte order. Counts are uvarints; of
// slices and maps one more than the length, 0 for nil. A pointer is a byte 0, or
// 1 and what it points to. What a method wrote is preceded by its length. Map
// entries come in no order. The content of a slice of [Large] bytes or more has a
// byte in front that says whether it follows, or where in the transport's [Store]
// it is. There are no types or field names in the bytes.
//
// # Hostile input
//
// Decoding never panics and allocates a small multiple of its input, to which
// what a Store gives out belongs: counts are checked against the bytes left before memory is taken, nesting has a
// limit, bools must be 0 or 1, a map's keys must differ. It does not know the
// invariants of a type that travels by its kind; a type that must hold some
// gives itself UnmarshalBinary.
package codec

import (
	"fmt"
	"reflect"
	"unsafe"
)

// MaxDepth is how deep pointers, slices, maps and any values may nest, in
// either direction. It is also what finds a cycle of pointers.
const MaxDepth = 1000

// Codec is the compiled codec of T. [Of] makes it; the zero value is of no
// use. It does not change: any number of goroutines may use one.
type Codec[T any] struct {
	prog *program
}

// Of compiles the codec of T, or finds it compiled. The first time for a type
// costs some microseconds. The error says which field cannot travel, why, and
// what to use instead; it has no "tandem:" in front, the caller puts its own
// subject there.
func Of[T any]() (*Codec[T], error) {
	prog, err := compile(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return &Codec[T]{prog}, nil
}

// Append adds the encoding of *v to dst. It allocates nothing when dst has
// room and T holds no map, any, error or type with methods of its own. Descriptors are
// added to h; if h is nil, a value that has some is an error that is
// [errors.ErrUnsupported].
//
// After an error the result is dst as it was, and h may hold some descriptors
// of v. Nobody may write to *v while Append runs.
func (c *Codec[T]) Append(dst []byte, v *T, h *Handles) ([]byte, error) {
	// SAFETY: v is the caller's and alive as an argument; its type is the one
	// the program was compiled for.
	out, err := c.prog.append(dst, unsafe.Pointer(v), h, 0)
	if err != nil {
		return dst, fmt.Errorf("encode: %w", explain(c.prog.typ, err))
	}
	return out, nil
}

// Decode sets *v to the value that src encodes. All of src must be used up.
// The value shares no memory with src, which may be reused at once; src must
// be private memory, that nobody changes meanwhile. Descriptors are taken out
// of h, which may be nil.
//
// After an error *v is its zero value and the descriptors that were taken are
// closed.
func (c *Codec[T]) Decode(src []byte, v *T, h *Handles) error {
	if !c.prog.plain {
		*v = *new(T)
	}
	mark := h.mark()
	// SAFETY: as in Append; every coder writes inside *v and in what it allocates.
	rest, err := c.prog.decode(src, unsafe.Pointer(v), h, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are left over", len(rest))
	}
	if err != nil {
		*v = *new(T)
		h.closeTaken(mark)
		return fmt.Errorf("decode: %w", explain(c.prog.typ, err))
	}
	return nil
}

// Size tells how many bytes Append would add if nothing goes aside, or, when exact is
// false, a number that is not higher. It costs at most a few nanoseconds for each element of
// the slices that T itself holds, and does not follow what is nested deeper.
func (c *Codec[T]) Size(v *T) (n int, exact bool) {
	if c.prog.fixed {
		return c.prog.min, true
	}
	// SAFETY: as in Append.
	return c.prog.measure(unsafe.Pointer(v))
}

// Fixed tells whether every value has an encoding of the same length, and which.
func (c *Codec[T]) Fixed() (n int, fixed bool) { return c.prog.min, c.prog.fixed }

// Schema is a hash of the structure of T: kinds, names of fields, what is
// nested, this machine's byte order. It is the same in every process and run
// of one program; types that differ in it cannot read each other's bytes.
func (c *Codec[T]) Schema() uint64 { return c.prog.schema() }
