package tandem

import (
	"reflect"
	"testing"
)

// The types that no program compiles at its start must compile, or their errors
// would be lost in the first worker that returns one.
func TestOwnErrorsTravel(t *testing.T) {
	for name, typ := range errorTable.typed {
		if !ownErrors[typ.typ] {
			continue
		}
		v := reflect.New(typ.typ.Elem()).Interface().(error)
		b, ok := typ.append(v)
		if !ok {
			t.Errorf("%s does not encode", name)
			continue
		}
		back, err := typ.decode(b)
		if err != nil || reflect.TypeOf(back) != typ.typ {
			t.Errorf("%s came back as %T, %v", name, back, err)
		}
	}
	if len(ownErrors) == 0 {
		t.Error("no own errors")
	}
}
