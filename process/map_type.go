package process

import (
	"context"
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/spawn"
)

// MapType makes maps of one type. Make it with NewMapType and keep it in a
// package-level variable: every process must know how to call such a map.
type MapType[K comparable, V any] struct {
	make   *Constructor[struct{}, *Table[K, V]]
	get    *Method[*Table[K, V], K, found[V]]
	set    *Method[*Table[K, V], Entry[K, V], struct{}]
	delete *Method[*Table[K, V], K, bool]
	len    *Method[*Table[K, V], struct{}, int]
	keys   *Method[*Table[K, V], cursor, page[K]]
	all    *Method[*Table[K, V], cursor, page[Entry[K, V]]]
}

// found is what Get sends.
type found[V any] struct {
	Value V
	OK    bool
}

// NewMapType makes a type of maps, as tandem.NewTask makes a task, and panics as that
// does. K and V must not hold shared things or files: nobody would close them.
func NewMapType[K comparable, V any](name string) *MapType[K, V] {
	if _, worker := spawn.Channel(); !worker { // there the program has been through this
		for _, t := range []reflect.Type{reflect.TypeFor[K](), reflect.TypeFor[V]()} {
			if h := codec.HandleIn(t); h != nil {
				panic(fmt.Sprintf("tandem: NewMapType(%q): a map cannot hold %v, which nobody would close; keep it outside, and its name here", name, h))
			}
		}
	}
	m := &MapType[K, V]{
		make: NewConstructor(name, func(context.Context, struct{}) (*Table[K, V], error) { return newTable[K, V](), nil }),
		get: NewMethod(name+".Get", func(_ context.Context, t *Table[K, V], k K) (f found[V], err error) {
			f.Value, f.OK = t.Get(k)
			return f, nil
		}).Idempotent(),
		set: NewMethod(name+".Set", func(_ context.Context, t *Table[K, V], e Entry[K, V]) (none struct{}, err error) {
			t.Set(e.Key, e.Value)
			return none, nil
		}),
		delete: NewMethod(name+".Delete", func(_ context.Context, t *Table[K, V], k K) (bool, error) { return t.Delete(k), nil }),
		len:    NewMethod(name+".Len", func(_ context.Context, t *Table[K, V], _ struct{}) (int, error) { return t.Len(), nil }),
		keys: NewMethod(name+".Keys", func(_ context.Context, t *Table[K, V], c cursor) (page[K], error) {
			return pageOf(t, c, func(e Entry[K, V]) K { return e.Key })
		}),
		all: NewMethod(name+".All", func(_ context.Context, t *Table[K, V], c cursor) (page[Entry[K, V]], error) {
			return pageOf(t, c, func(e Entry[K, V]) Entry[K, V] { return e })
		}),
	}
	mapTypes[m.name()] = m
	return m
}

// mapTypes are the types of maps by their names, for maps that travel. It is written
// before Init.
var mapTypes = make(map[string]any)

func (t *MapType[K, V]) name() string { return t.make.task.FullName() }

// New makes a map. Its process starts with Start or the first call. If that process
// ends, the map is over: its Restart.When is Never, so that nobody takes an empty map
// for the one that was lost. Set it before the first use, if an empty one will do.
func (t *MapType[K, V]) New() *Map[K, V] {
	return &Map[K, V]{Service: Service[*Table[K, V]]{New: t.make.With(struct{}{}), Restart: Restart{When: Never}}, calls: t}
}
