package codec

import (
	"reflect"
	"unsafe"
)

// structCoder encodes its fields one after the other. Neighbouring plain
// fields are one copy, fields of nested structs are its own: what is left to
// call for is what has no fixed place or length.
type structCoder struct{ fields []field }

// field is a part of a struct: n plain bytes, or, where prog is set, a value
// with a coder of its own.
type field struct {
	off  uintptr
	n    int
	prog *program
	name string // ".name", for errors
}

func (c *structCoder) append(dst []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	for i := range c.fields {
		f := &c.fields[i]
		q := add(p, f.off)
		switch {
		case f.prog != nil:
			if dst, err = f.prog.append(dst, q, h, depth); err != nil {
				return nil, at(f.name, err)
			}
		case f.n == 8: // the commonest length by far, without a call to memmove
			// SAFETY: eight plain bytes of the struct; an array of bytes needs no alignment.
			dst = append(dst, (*[8]byte)(q)[:]...)
		default:
			dst = append(dst, bytesAt(q, f.n)...)
		}
	}
	return dst, nil
}

func (c *structCoder) decode(src []byte, p unsafe.Pointer, h *Handles, depth int) (_ []byte, err error) {
	for i := range c.fields {
		f := &c.fields[i]
		q := add(p, f.off)
		if f.prog != nil {
			if src, err = f.prog.decode(src, q, h, depth); err != nil {
				return nil, at(f.name, err)
			}
			continue
		}
		if len(src) < f.n {
			return nil, at(f.name, errShort)
		}
		if f.n == 8 {
			// SAFETY: as in append, now written.
			*(*[8]byte)(q) = [8]byte(src)
		} else {
			copy(bytesAt(q, f.n), src)
		}
		src = src[f.n:]
	}
	return src, nil
}

func (c *structCoder) measure(p unsafe.Pointer) (n int, exact bool) {
	exact = true
	for i := range c.fields {
		f := &c.fields[i]
		if f.prog == nil {
			n += f.n
			continue
		}
		m, ok := f.prog.measure(add(p, f.off))
		n, exact = n+m, exact && ok
	}
	return n, exact
}

// structOf compiles the fields of prog.typ into prog.
func (c *compiler) structOf(prog *program, path string) error {
	fields := make([]field, 0, prog.typ.NumField())
	prog.fixed, prog.free, prog.flat = true, true, true
	for i := range prog.typ.NumField() {
		sf := prog.typ.Field(i)
		sub, err := c.compile(sf.Type, path+"."+sf.Name)
		if err != nil {
			return err
		}
		prog.min = sum(prog.min, sub.min)
		prog.fixed = prog.fixed && sub.fixed
		prog.free = prog.free && sub.free
		prog.flat = prog.flat && sub.flat
		fields = join(fields, sf, sub)
	}
	switch {
	case len(fields) == 0:
		prog.plain, prog.coder = true, plainCoder{0}
	case len(fields) == 1 && fields[0].prog == nil && uintptr(fields[0].n) == prog.mem:
		prog.plain, prog.coder = true, plainCoder{fields[0].n}
	default:
		prog.coder = &structCoder{fields}
	}
	return nil
}

// join adds a field's program to the fields before it.
func join(fields []field, sf reflect.StructField, sub *program) []field {
	if inner, ok := sub.coder.(*structCoder); ok {
		for _, f := range inner.fields {
			f.off += sf.Offset
			f.name = "." + sf.Name + f.name
			fields = push(fields, f)
		}
		return fields
	}
	f := field{off: sf.Offset, prog: sub, name: "." + sf.Name}
	if sub.plain {
		f.n, f.prog = int(sub.mem), nil
	}
	return push(fields, f)
}

// push appends f, or lengthens the copy before it if f continues that.
func push(fields []field, f field) []field {
	if f.prog == nil && f.n == 0 {
		return fields
	}
	if k := len(fields) - 1; k >= 0 && f.prog == nil {
		if last := &fields[k]; last.prog == nil && last.off+uintptr(last.n) == f.off {
			last.n += f.n
			return fields
		}
	}
	return append(fields, f)
}
