package process

import (
	"context"
	"errors"
	"iter"

	"github.com/tandem-go/tandem"
)

// Map is a dictionary in a process of its own: a Service whose value is a Table. Make
// it with MapType.New; fields of the Service can be set before the first use, but
// not Threads. What Get returns is a copy, and changing it changes nothing in the
// map. To change a value by what it is, make a method for the Table:
//
//	var words = process.NewMapType[string, int]("words")
//	var count = process.NewMethod("count", func(ctx context.Context, t *process.Table[string, int], word string) (int, error) {
//		return t.Update(word, func(n int, found bool) int { return n + 1 }), nil
//	})
//
//	m := words.New()
//	defer m.Close()
//	n, err := count.On(m).Call(ctx, "the")
//
// Each method costs a call. It is safe for concurrent use.
type Map[K comparable, V any] struct {
	Service[*Table[K, V]]
	calls *MapType[K, V]
}

// ready reports what is wrong with m.
func (m *Map[K, V]) ready() error {
	switch {
	case m == nil || m.calls == nil:
		return errors.New("tandem: process.Map: it is nil or zero; make one with MapType.New")
	case m.Threads > 1:
		return errors.New("tandem: process.Map: Threads is more than one, and a Table has no lock: its methods run one after the other")
	}
	return nil
}

// place is where the map's methods run.
func (m *Map[K, V]) place() tandem.Runner {
	if err := m.ready(); err != nil {
		return refusing{err}
	}
	return m.Service.place()
}

// Get returns a copy of the value of a key, and whether there is one.
func (m *Map[K, V]) Get(ctx context.Context, k K) (v V, ok bool, err error) {
	if err := m.ready(); err != nil {
		return v, false, err
	}
	f, err := m.calls.get.On(m).Call(ctx, k)
	return f.Value, f.OK, err
}

// Set gives a key its value.
func (m *Map[K, V]) Set(ctx context.Context, k K, v V) error {
	if err := m.ready(); err != nil {
		return err
	}
	_, err := m.calls.set.On(m).Call(ctx, Entry[K, V]{k, v})
	return err
}

// Delete removes a key, and reports whether it was there.
func (m *Map[K, V]) Delete(ctx context.Context, k K) (was bool, err error) {
	if err := m.ready(); err != nil {
		return false, err
	}
	return m.calls.delete.On(m).Call(ctx, k)
}

// Len is the number of entries.
func (m *Map[K, V]) Len(ctx context.Context) (int, error) {
	if err := m.ready(); err != nil {
		return 0, err
	}
	return m.calls.len.On(m).Call(ctx, struct{}{})
}

// keysAtOnce and entriesAtOnce are how many come with one call of a loop.
const keysAtOnce, entriesAtOnce = 1024, 128

// Keys ranges over the keys, in the order in which they came; All says how.
func (m *Map[K, V]) Keys(ctx context.Context) iter.Seq2[K, error] {
	return pages(keysAtOnce, func(c cursor) (page[K], error) {
		if err := m.ready(); err != nil {
			return page[K]{}, err
		}
		return m.calls.keys.On(m).Call(ctx, c)
	})
}

// All ranges over copies of the entries, in the order in which their keys came, some
// at a time, so that it holds only a few. What is there during the whole loop comes
// once; what is added or removed meanwhile may come or not. An error is the last that
// comes, with a zero entry.
func (m *Map[K, V]) All(ctx context.Context) iter.Seq2[Entry[K, V], error] {
	return pages(entriesAtOnce, func(c cursor) (page[Entry[K, V]], error) {
		if err := m.ready(); err != nil {
			return page[Entry[K, V]]{}, err
		}
		return m.calls.all.On(m).Call(ctx, c)
	})
}

// pages is a loop over what next brings, page by page.
func pages[T any](most int, next func(cursor) (page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for c := (cursor{Most: most}); ; {
			p, err := next(c)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, v := range p.Items {
				if !yield(v, nil) {
					return
				}
			}
			if p.Last {
				return
			}
			c.Table, c.Serial = p.Table, p.Next
		}
	}
}
