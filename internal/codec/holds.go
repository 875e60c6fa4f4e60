package codec

import (
	"os"
	"reflect"
)

// HandleIn returns the first type in t that travels as a descriptor, or nil. What an
// interface holds cannot be known.
func HandleIn(t reflect.Type) reflect.Type { return handleIn(t, map[reflect.Type]bool{}) }

func handleIn(t reflect.Type, seen map[reflect.Type]bool) reflect.Type {
	if seen[t] {
		return nil
	}
	seen[t] = true
	if t == reflect.TypeFor[*os.File]() {
		return t
	}
	if d := doorOf(t, doors); d != nil {
		if d.name == "handle" {
			return t
		}
		return nil // it encodes itself, as bytes
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return handleIn(t.Elem(), seen)
	case reflect.Map:
		if h := handleIn(t.Key(), seen); h != nil {
			return h
		}
		return handleIn(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if h := handleIn(t.Field(i).Type, seen); h != nil {
				return h
			}
		}
	}
	return nil
}
