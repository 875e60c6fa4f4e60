package process

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTable: against a slice that is searched from its beginning.
func TestTable(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		table, model := newTable[int, int](), []Entry[int, int]{}
		for step := range 3000 {
			k := r.IntN(60)
			i := slices.IndexFunc(model, func(e Entry[int, int]) bool { return e.Key == k })
			switch r.IntN(3) {
			case 0:
				if table.Delete(k) != (i >= 0) {
					t.Fatalf("Delete(%d) is wrong", k)
				}
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
			case 1:
				if v, ok := table.Get(k); ok != (i >= 0) || ok && v != model[i].Value {
					t.Fatalf("Get(%d): %d, %v", k, v, ok)
				}
			default:
				if table.Set(k, step); i >= 0 {
					model[i].Value = step
				} else {
					model = append(model, Entry[int, int]{k, step})
				}
			}
			if table.Len() != len(model) || len(table.items) > 4*len(model)+16 && len(table.items) > 200 {
				t.Fatalf("Len %d of %d, %d items", table.Len(), len(model), len(table.items))
			}
		}
		var got []Entry[int, int]
		for k, v := range table.All() {
			got = append(got, Entry[int, int]{k, v})
		}
		if !slices.Equal(got, model) {
			t.Fatalf("All: %v, want %v", got, model)
		}
	}
}

// TestTableHolesAreReused: a queue of three entries takes the room of a few, however
// long it runs.
func TestTableHolesAreReused(t *testing.T) {
	table := newTable[int, int]()
	for i := range 100000 {
		table.Set(i, i)
		table.Delete(i - 3)
	}
	if len(table.items) > 64 {
		t.Errorf("%d items for %d entries", len(table.items), table.Len())
	}
}

// TestTablePages: what is there all the time comes once, whatever else happens
// between two pages.
func TestTablePages(t *testing.T) {
	table := newTable[int, string]()
	for i := range 500 {
		table.Set(i, fmt.Sprint(i))
	}
	seen := map[int]int{}
	more := 1000
	for c := (cursor{Most: 7}); ; {
		p, err := pageOf(table, c, func(e Entry[int, string]) int { return e.Key })
		if err != nil || len(p.Items) > 7 {
			t.Fatalf("%d items, %v", len(p.Items), err)
		}
		for _, k := range p.Items {
			seen[k]++
		}
		if p.Last {
			break
		}
		c.Table, c.Serial = p.Table, p.Next
		if more < 1700 {
			for range 20 { // odd keys go, new ones come, items move
				table.Delete(2*(more-1000)/3*2 + 1)
				table.Set(more, "")
				more++
			}
		}
	}
	for i := 0; i < 500; i += 2 {
		if seen[i] != 1 {
			t.Errorf("key %d came %d times", i, seen[i])
		}
	}
	if _, err := pageOf(newTable[int, string](), cursor{Table: table.id, Most: 1}, func(e Entry[int, string]) int { return e.Key }); err != errAnew {
		t.Errorf("a page of a table that is gone: %v", err)
	}
}
