package codec

import "reflect"

// Carries tells where in T a descriptor may be, such as "field Log", or "" if T is
// all bytes. It is for what keeps values where descriptors cannot be kept.
func (c *Codec[T]) Carries() string {
	path, found := carries(reflect.TypeFor[T](), "", map[reflect.Type]bool{})
	switch {
	case !found:
		return ""
	case path == "":
		return "it"
	}
	return "field " + path[1:]
}

func carries(t reflect.Type, path string, seen map[reflect.Type]bool) (at string, found bool) {
	prog := finished(t)
	if prog == nil || seen[t] {
		return "", false // not a part of what travels, or looked at
	}
	seen[t] = true
	if door := prog.door; door != "" {
		return path, door == "handle" || door == "file"
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if at, found := carries(t.Field(i).Type, path+"."+t.Field(i).Name, seen); found {
				return at, true
			}
		}
	case reflect.Map:
		if at, found := carries(t.Key(), path, seen); found {
			return at, true
		}
		return carries(t.Elem(), path, seen)
	case reflect.Array, reflect.Slice, reflect.Pointer:
		return carries(t.Elem(), path, seen)
	}
	return "", false
}
