package shared

import (
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"strings"
)

// pointerFree checks that T can lie in shared memory, and returns a hash of its
// structure, the same in each process of one program. The subject is for the
// error's text: "Value".
func pointerFree[T any](subject string) (schema uint64, err error) {
	t := reflect.TypeFor[T]()
	h := fnv.New64a()
	if path, why := describe(h, t, ""); why != "" {
		if path != "" {
			path = fmt.Sprintf("field %s: ", strings.TrimPrefix(path, "."))
		}
		return 0, fmt.Errorf("tandem: shared.%s[%s]: %s%s", subject, t, path, why)
	}
	return h.Sum64(), nil
}

func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// describe writes the structure of t to w, or says where something in it cannot
// be shared, and why.
func describe(w io.Writer, t reflect.Type, path string) (bad, why string) {
	switch p := t.PkgPath(); {
	case p == "sync" || p == "internal/sync":
		return path, fmt.Sprintf("%s works inside one process only; a Value has a lock of its own, and there is shared.Mutex", t)
	case p == "sync/atomic":
		return path, fmt.Sprintf("%s must not be copied, and a Value is read by copying; use the plain number under Update", t)
	}
	fmt.Fprintf(w, "%s %d %d;", t.Kind(), t.Size(), t.Align())
	switch t.Kind() {
	case reflect.Bool,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return "", ""
	case reflect.Array:
		fmt.Fprintf(w, "%d of ", t.Len())
		return describe(w, t.Elem(), path+"[]")
	case reflect.Struct:
		fmt.Fprintf(w, "%d fields;", t.NumField())
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(w, "%s@%d ", f.Name, f.Offset)
			if bad, why := describe(w, f.Type, path+"."+f.Name); why != "" {
				return bad, why
			}
		}
		return "", ""
	case reflect.String, reflect.Slice:
		return path, fmt.Sprintf("%s points to memory of one process; use an array of a fixed size, such as [64]byte", t)
	case reflect.Uintptr:
		return path, fmt.Sprintf("%s is an address of one process; use uint64 for a number", t)
	}
	return path, fmt.Sprintf("%s points to memory of one process; shared memory holds numbers, bools, and arrays and structs of them", t)
}
