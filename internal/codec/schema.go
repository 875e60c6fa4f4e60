package codec

import (
	"encoding/binary"
	"hash/fnv"
	"io"
	"reflect"
	"strconv"
)

// format is the version of the bytes themselves: another one is another schema.
const format = 1

// schema hashes a description of the type, once.
func (prog *program) schema() uint64 {
	prog.hashOnce.Do(func() {
		h := fnv.New64a()
		// The byte order is that of a number in memory.
		order := binary.NativeEndian.AppendUint16([]byte{format}, 0x0102)
		h.Write(order)
		describe(h, prog.typ, map[reflect.Type]int{})
		prog.hash = h.Sum64()
	})
	return prog.hash
}

// describe writes what decides about the encoding of t. A type that was
// begun is written as its number: types may contain themselves.
func describe(w io.Writer, t reflect.Type, seen map[reflect.Type]int) {
	write := func(s string) { io.WriteString(w, s) }
	if i, ok := seen[t]; ok {
		write("#" + strconv.Itoa(i) + ";")
		return
	}
	seen[t] = len(seen)
	if prog := finished(t); prog != nil && prog.door != "" {
		write(prog.door + " " + t.PkgPath() + "." + t.String() + ";")
		return
	}
	write(t.Kind().String())
	switch t.Kind() {
	case reflect.Struct:
		write("{")
		for i := range t.NumField() {
			write(t.Field(i).Name + " ")
			describe(w, t.Field(i).Type, seen)
		}
		write("}")
	case reflect.Array:
		write(strconv.Itoa(t.Len()) + " ")
		if t.Len() > 0 { // else the elements are not there, and need not be able to travel
			describe(w, t.Elem(), seen)
		}
	case reflect.Slice, reflect.Pointer:
		write(" ")
		describe(w, t.Elem(), seen)
	case reflect.Map:
		write("[")
		describe(w, t.Key(), seen)
		write("]")
		describe(w, t.Elem(), seen)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			write(" error")
		}
	}
	write(";")
}
