package codec

import (
	"encoding/binary"
	"reflect"
	"slices"
)

// format is the version of the bytes themselves: another one is another schema.
const format = 1

// schema hashes a description of the type, once.
func (prog *program) schema() uint64 {
	prog.hashOnce.Do(func() {
		d := description{hash: offset64}
		d.number(format)
		// The byte order is that of a number in memory.
		d.number(int(binary.NativeEndian.Uint16([]byte{1, 2})))
		d.of(prog.typ)
		prog.hash = d.hash
	})
	return prog.hash
}

// description hashes what decides about the encoding of a type. A fresh process does
// this between its birth and its first task: hash/fnv, fmt and a map would be 20 µs
// of page faults there, most of what a call costs it.
type description struct {
	hash uint64
	seen []reflect.Type // begun: types may contain themselves
}

func (d *description) of(t reflect.Type) {
	if i := slices.Index(d.seen, t); i >= 0 {
		d.word("#")
		d.number(i)
		return
	}
	d.seen = append(d.seen, t)
	if prog := finished(t); prog != nil && prog.door != "" {
		d.word(prog.door)
		d.word(t.PkgPath())
		d.word(t.String())
		return
	}
	d.number(int(t.Kind()))
	switch t.Kind() {
	case reflect.Struct:
		d.number(t.NumField())
		for i := range t.NumField() {
			f := t.Field(i)
			d.word(f.Name)
			d.of(f.Type)
		}
	case reflect.Array:
		d.number(t.Len())
		if t.Len() > 0 { // else the elements are not there, and need not be able to travel
			d.of(t.Elem())
		}
	case reflect.Slice, reflect.Pointer:
		d.of(t.Elem())
	case reflect.Map:
		d.of(t.Key())
		d.of(t.Elem())
	case reflect.Interface:
		d.number(t.NumMethod()) // 0 is any, 1 is error
	}
}

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/.
const (
	offset64 = 14695981039346656037
	prime64  = 1099511628211
)

// word adds a string, with an end that no name holds.
func (d *description) word(s string) {
	for i := range len(s) {
		d.byte(s[i])
	}
	d.byte(0xff)
}

func (d *description) number(n int) {
	for range 8 {
		d.byte(byte(n))
		n >>= 8
	}
}

func (d *description) byte(b byte) { d.hash = (d.hash ^ uint64(b)) * prime64 }
