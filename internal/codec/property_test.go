package codec_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tandem-go/tandem/internal/codec"
)

// Made-up values of made-up types come back equal; what is cut off is an
// error, and what is damaged is an error or some value, never a panic.
func TestRandomTypes(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		typ := randomType(r, 4)
		c, err := codec.ForType(typ)
		if err != nil {
			t.Fatalf("seed %d: %v: %v", seed, typ, err)
		}
		for range 3 {
			in, out := reflect.New(typ), reflect.New(typ)
			fill(r, in.Elem(), 4)
			src, err := c.Append(in)
			if err != nil {
				t.Fatalf("seed %d: %v: Append: %v", seed, typ, err)
			}
			if n, exact := c.Size(in); n > len(src) || exact && n != len(src) {
				t.Errorf("seed %d: %v: Size = %d, %v; the encoding has %d bytes", seed, typ, n, exact, len(src))
			}
			if rest, err := c.Decode(src, out); err != nil || len(rest) > 0 {
				t.Fatalf("seed %d: %v: Decode: %v, %d bytes left over", seed, typ, err, len(rest))
			}
			if !reflect.DeepEqual(in.Interface(), out.Interface()) {
				t.Fatalf("seed %d: %v:\ngot  %#v\nwant %#v", seed, typ, out.Elem(), in.Elem())
			}
			for range 10 {
				if len(src) == 0 {
					break
				}
				if _, err := c.Decode(src[:r.IntN(len(src))], reflect.New(typ)); err == nil {
					t.Fatalf("seed %d: %v: a part of the encoding decodes", seed, typ)
				}
				damaged := append([]byte(nil), src...)
				damaged[r.IntN(len(src))] ^= byte(1 << r.IntN(8))
				c.Decode(damaged, reflect.New(typ)) // must not panic
			}
		}
	}
}

var basic = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[uint](), reflect.TypeFor[int8](),
	reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint8](),
	reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[float32](),
	reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[string](), reflect.TypeFor[name](),
	reflect.TypeFor[padded](), reflect.TypeFor[struct{}](),
}

func randomType(r *rand.Rand, depth int) reflect.Type {
	if depth == 0 {
		return basic[r.IntN(len(basic))]
	}
	sub := func() reflect.Type { return randomType(r, r.IntN(depth)) }
	switch r.IntN(7) {
	case 0:
		return reflect.SliceOf(sub())
	case 1:
		return reflect.MapOf(basic[r.IntN(len(basic))], sub())
	case 2:
		return reflect.PointerTo(sub())
	case 3:
		return reflect.ArrayOf(r.IntN(4), sub())
	case 4:
		return reflect.TypeFor[any]()
	}
	var fields []reflect.StructField
	for i := range r.IntN(6) {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: sub()})
	}
	return reflect.StructOf(fields)
}

// fill sets v, which may be an unexported field only inside padded.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	few := func() int { return r.IntN(5) }
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.Complex64:
		v.SetComplex(complex(r.NormFloat64(), 0))
	case reflect.String:
		v.SetString(string(make([]byte, r.IntN(3)*70)) + fmt.Sprint(r.Uint32()))
	case reflect.Slice:
		if n := few(); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n))
		}
		for i := range v.Len() {
			fill(r, v.Index(i), depth)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth)
		}
	case reflect.Pointer:
		if few() > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth)
		}
	case reflect.Map:
		if few() > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range few() {
				key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(r, key, depth)
				fill(r, val, depth)
				v.SetMapIndex(key, val)
			}
		}
	case reflect.Interface:
		if x := randomAny(r, depth); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[padded]() {
			v.Set(reflect.ValueOf(padded{byte(r.Uint32()), r.Int32(), byte(r.Uint32()), r.Int64()}))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i), depth)
		}
	}
}

func randomAny(r *rand.Rand, depth int) any {
	switch r.IntN(9) {
	case 0:
		return r.Int()
	case 1:
		return fmt.Sprint(r.Int32())
	case 2:
		return r.Float64() < 0.5
	case 3:
		return []byte{1, byte(r.Uint32())}
	case 4:
		return uint8(r.Uint32())
	case 5, 6:
		list := []any{}
		for range r.IntN(depth + 1) {
			list = append(list, randomAny(r, depth-1))
		}
		return list
	case 7:
		m := map[string]any{}
		for range r.IntN(depth + 1) {
			m[fmt.Sprint(r.Int32())] = randomAny(r, depth-1)
		}
		return m
	}
	return nil
}
