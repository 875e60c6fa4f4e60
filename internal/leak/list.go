package leak

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// thing is what was opened.
type thing struct {
	Kind, Name string
	Stack      string
	collected  bool
}

// The verbs of an entry.
const (
	verbOpen byte = iota
	verbClose
	verbCollect
)

// entry is one step of the ledger: a thing is opened, closed, or collected.
type entry struct {
	verb   byte
	number uint64
	thing  thing // opened
}

// append appends e, in which no text holds a zero byte.
func (e entry) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(append(dst, e.verb), e.number)
	if e.verb != verbOpen {
		return dst
	}
	return append(dst, strings.Join([]string{e.thing.Kind, e.thing.Name, e.thing.Stack}, "\x00")...)
}

// parse is the inverse of append. What makes no sense is an entry of nothing.
func parse(b []byte) (e entry) {
	if len(b) < 9 {
		return entry{verb: verbClose}
	}
	e.verb, e.number = b[0], binary.LittleEndian.Uint64(b[1:])
	if text := strings.SplitN(string(b[9:]), "\x00", 3); len(text) == 3 {
		e.thing = thing{Kind: text[0], Name: text[1], Stack: text[2]}
	}
	return e
}

// list is what is open, and what was collected while it was.
type list map[uint64]thing

func (l list) apply(e entry) {
	switch e.verb {
	case verbOpen:
		l[e.number] = e.thing
	case verbClose:
		delete(l, e.number)
	case verbCollect:
		if t, ok := l[e.number]; ok {
			t.collected = true
			l[e.number] = t
		}
	}
}

// report words the list: what was made in one place is told once. It is "" if there is
// nothing to tell.
func (l list) report(where string) string {
	if len(l) == 0 {
		return ""
	}
	type place struct {
		kind, stack string
		collected   bool
	}
	names := map[place][]string{}
	for _, number := range slices.Sorted(maps.Keys(l)) {
		t := l[number]
		p := place{t.Kind, t.Stack, t.collected}
		names[p] = append(names[p], t.Name)
	}
	places := slices.SortedFunc(maps.Keys(names), func(a, b place) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.stack, b.stack), compareBool(a.collected, b.collected))
	})
	var text strings.Builder
	fmt.Fprintf(&text, "tandem: TANDEMDEBUG=leaks: left open %s: %d\n", where, len(l))
	for _, p := range places {
		fmt.Fprintf(&text, "%s%s, %s; made by\n%s", p.kind, named(names[p]), state(p.collected), p.stack)
	}
	return text.String()
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func state(collected bool) string {
	if collected {
		return "not closed before it was garbage"
	}
	return "not closed"
}

// named lists names behind a kind, a few of many.
func named(names []string) string {
	const most = 5
	n := len(names)
	list := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	text := ""
	if len(list) > most {
		list = append(list[:most], "…")
	}
	if len(list) > 0 {
		text = " " + strings.Join(list, ", ")
	}
	if n > 1 {
		text += fmt.Sprintf(" (%d of them)", n)
	}
	return text
}
