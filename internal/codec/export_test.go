package codec

import "reflect"

// Dynamic is the codec of a type that is known only at run time, for the tests
// that make types up.
type Dynamic struct{ prog *program }

func ForType(t reflect.Type) (Dynamic, error) {
	prog, err := compile(t)
	return Dynamic{prog}, err
}

// Append takes a pointer to a value of the type.
func (d Dynamic) Append(ptr reflect.Value) ([]byte, error) {
	return d.prog.append(nil, ptr.UnsafePointer(), nil, 0)
}

func (d Dynamic) Decode(src []byte, ptr reflect.Value) (rest []byte, err error) {
	return d.prog.decode(src, ptr.UnsafePointer(), nil, 0)
}

func (d Dynamic) Size(ptr reflect.Value) (int, bool) { return d.prog.measure(ptr.UnsafePointer()) }

// Forget makes every type a new one.
func Forget() {
	programs.Lock()
	defer programs.Unlock()
	programs.of = nil
}
