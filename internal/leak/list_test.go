package leak

import (
	"encoding/binary"
	"strings"
	"testing"
)

// TestReport: by kind and place, each place once, what was closed not at all.
func TestReport(t *testing.T) {
	l := list{}
	if r := l.report("here"); r != "" {
		t.Errorf("of nothing: %q", r)
	}
	for i, e := range []thing{
		{Kind: "z", Name: "first", Stack: "\tf\n"}, {Kind: "a", Stack: "\tg\n"}, {Kind: "a", Stack: "\tg\n"},
		{Kind: "z", Name: "closed", Stack: "\tf\n"}, {Kind: "z", Name: "second", Stack: "\tf\n"}, {Kind: "z", Name: "third", Stack: "\tf\n"},
	} {
		l.apply(entry{number: uint64(i), thing: e})
	}
	l.apply(entry{verb: verbClose, number: 3})
	l.apply(entry{verb: verbClose, number: 3})
	l.apply(entry{verb: verbCollect, number: 3})
	l.apply(entry{verb: verbCollect, number: 5})
	want := "tandem: TANDEMDEBUG=leaks: left open here: 5\n" +
		"a (2 of them), not closed; made by\n\tg\n" +
		"z first, second (2 of them), not closed; made by\n\tf\n" +
		"z third, not closed before it was garbage; made by\n\tf\n"
	if got := l.report("here"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWatch: the entries come through a pipe, the last one perhaps torn.
func TestWatch(t *testing.T) {
	var stream []byte
	for _, e := range []entry{{number: 1, thing: thing{Kind: "k", Name: "one", Stack: "s\n"}}, {number: 2, thing: thing{Kind: "k", Name: "two", Stack: "s\n"}}, {verb: verbClose, number: 1}} {
		b := e.append(nil)
		stream = append(append(stream, binary.LittleEndian.AppendUint32(nil, uint32(len(b)))...), b...)
	}
	for _, tail := range []string{"", "\x05\x00", "\x05\x00\x00\x00abc", "\x03\x00\x00\x00abc", "\xff\xff\xff\xff"} {
		var out strings.Builder
		watch(strings.NewReader(string(stream)+tail), &out)
		if got := out.String(); !strings.Contains(got, "left open at the end of the program: 1\nk two, not closed") {
			t.Errorf("with %q behind: %q", tail, got)
		}
	}
}
