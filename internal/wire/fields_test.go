package wire

import (
	"maps"
	"testing"
	"time"
)

func TestCallInfo(t *testing.T) {
	for _, c := range []CallInfo{
		{},
		{Task: 1 << 63, Schema: 1<<64 - 1, Memory: 1 << 40, Output: 5, Left: time.Hour, Meta: map[string]string{"": "", "a": "中"}},
	} {
		b := append(c.Append(nil), "input"...)
		got, input, err := ParseCall(b)
		if err != nil || string(input) != "input" || got.Task != c.Task || got.Schema != c.Schema || got.Memory != c.Memory ||
			got.Output != c.Output || got.Left != c.Left || !maps.Equal(got.Meta, c.Meta) {
			t.Errorf("%+v came back as %+v with %q, %v", c, got, input, err)
		}
		head := c.Append(nil)
		for n := range len(head) {
			if _, _, err := ParseCall(head[:n]); err == nil {
				t.Errorf("the first %d of %d bytes were accepted", n, len(head))
			}
		}
	}
}

func TestReaderSticks(t *testing.T) {
	r := NewReader(AppendBytes(AppendUint64(nil, 9), "abc"))
	if r.Uint64() != 9 || string(r.Bytes()) != "abc" || r.More() || r.Err() != nil {
		t.Errorf("fields do not come back: %v", r.Err())
	}
	if r.Uint64() != 0 || r.Bytes() != nil || r.Err() == nil || r.More() || len(r.Rest()) != 0 {
		t.Error("reading on must fail, and stay so")
	}
	r = NewReader(AppendUint64(nil, 1<<62))
	if r.Bytes() != nil || r.Err() == nil {
		t.Error("bytes that are not there were read")
	}
}

// FuzzParseCall: a worker parses what its parent writes, a parent never what a
// worker does; all the same nothing may make it panic or take memory for promises.
func FuzzParseCall(f *testing.F) {
	full := CallInfo{Task: 9, Left: 1, Meta: map[string]string{"k": "v"}}
	f.Add(full.Append(nil))
	f.Add(AppendUint64(append([]byte{hasMeta}, make([]byte, 16)...), 1<<60))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, input, err := ParseCall(b)
		if err != nil {
			return
		}
		again, rest, err := ParseCall(append(c.Append(nil), input...))
		if err != nil || again.Task != c.Task || !maps.Equal(again.Meta, c.Meta) || string(rest) != string(input) {
			t.Errorf("%+v came back as %+v, %v", c, again, err)
		}
	})
}
