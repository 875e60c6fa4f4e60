package process

import (
	"errors"
	"iter"
	"math/rand/v2"
	"sort"
)

// Table is what a Map holds, in its process: a map in the order of insertion. Methods
// of yours get it, and change it as they like in one go. It has no lock, since a
// Map's methods run one after the other.
type Table[K comparable, V any] struct {
	id    uint64 // tells this one from the next after a restart
	next  uint64 // serial number
	at    map[K]int
	items []item[K, V]
}

// item is an entry, or the hole that it left: by its serial number the way of a loop
// over pages goes on though items have moved.
type item[K comparable, V any] struct {
	serial uint64
	live   bool
	entry  Entry[K, V]
}

// Entry is a key with its value.
type Entry[K comparable, V any] struct {
	Key   K
	Value V
}

func newTable[K comparable, V any]() *Table[K, V] {
	return &Table[K, V]{id: rand.Uint64() | 1, at: make(map[K]int)}
}

// Len is the number of entries.
func (t *Table[K, V]) Len() int { return len(t.at) }

// Get returns the value of a key, and whether there is one.
func (t *Table[K, V]) Get(k K) (v V, ok bool) {
	i, ok := t.at[k]
	if ok {
		v = t.items[i].entry.Value
	}
	return v, ok
}

// Set gives a key its value. A key that was there keeps its place in the order.
func (t *Table[K, V]) Set(k K, v V) {
	if i, ok := t.at[k]; ok {
		t.items[i].entry.Value = v
		return
	}
	if len(t.items) == cap(t.items) && len(t.items) > 2*len(t.at) {
		t.compact()
	}
	t.at[k] = len(t.items)
	t.items = append(t.items, item[K, V]{t.next, true, Entry[K, V]{k, v}})
	t.next++
}

// Update sets the value of a key to what f makes of the present one, the zero value
// if there is none, and returns it. If f panics, nothing has changed but what f
// itself changed behind pointers.
func (t *Table[K, V]) Update(k K, f func(v V, found bool) V) V {
	v := f(t.Get(k))
	t.Set(k, v)
	return v
}

// Delete removes a key, and reports whether it was there.
func (t *Table[K, V]) Delete(k K) bool {
	i, ok := t.at[k]
	if ok {
		delete(t.at, k)
		t.items[i] = item[K, V]{serial: t.items[i].serial}
	}
	return ok
}

// All ranges over the entries in the order in which their keys came. The table may be
// changed meanwhile; what is added comes last.
func (t *Table[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for it, ok := t.from(0); ok; it, ok = t.from(it.serial + 1) {
			if !yield(it.entry.Key, it.entry.Value) {
				return
			}
		}
	}
}

// from is the first entry with that serial number or a greater one.
func (t *Table[K, V]) from(serial uint64) (it item[K, V], ok bool) {
	i := sort.Search(len(t.items), func(i int) bool { return t.items[i].serial >= serial })
	for ; i < len(t.items); i++ {
		if t.items[i].live {
			return t.items[i], true
		}
	}
	return it, false
}

// compact removes the holes.
func (t *Table[K, V]) compact() {
	kept := make([]item[K, V], 0, 2*len(t.at)+8)
	for _, it := range t.items {
		if it.live {
			t.at[it.entry.Key] = len(kept)
			kept = append(kept, it)
		}
	}
	t.items = kept
}

// cursor is where a loop over pages is.
type cursor struct {
	Table  uint64 // 0: any, this is the beginning
	Serial uint64
	Most   int
}

// page is some of the entries, as each caller wants them.
type page[T any] struct {
	Table uint64
	Next  uint64
	Last  bool
	Items []T
}

// errAnew ends a loop over a table that was lost.
var errAnew = errors.New("tandem: process.Map: its process was restarted during the loop, and the entries are lost; begin again")

// pageOf is the entries at c, each seen by see.
func pageOf[K comparable, V, T any](t *Table[K, V], c cursor, see func(Entry[K, V]) T) (p page[T], err error) {
	if c.Table != 0 && c.Table != t.id {
		return p, errAnew
	}
	p.Table, p.Next = t.id, c.Serial
	for range c.Most {
		it, ok := t.from(p.Next)
		if !ok {
			p.Last = true
			break
		}
		p.Items, p.Next = append(p.Items, see(it.entry)), it.serial+1
	}
	return p, nil
}
