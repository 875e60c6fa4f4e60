package child

import (
	"reflect"
	"testing"

	"github.com/tandem-go/tandem/internal/wire"
)

func TestHello(t *testing.T) {
	for _, h := range []Hello{
		{},
		{
			Build: 1, Tasks: 1<<64 - 1, Name: "Process-1:2", ParentName: "Process-1", Depth: 2, Lanes: 62, MaxProcs: 3, MaxStack: 4,
			Memory: 5, Grouped: true, OpenFiles: 6, Core: 9, Nice: 7, IOClass: 3, IOLevel: 2, CPUs: []int{0, 8}, Single: true, Warden: true, Vars: []byte("vars"),
			Setup: Hook{wire.CallInfo{Task: 6, Schema: 7}, []byte("input")},
			Exit:  Hook{wire.CallInfo{Task: 8}, nil},
		},
	} {
		b := h.Append(nil)
		got, err := parseHello(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []*Hook{&got.Setup, &got.Exit} {
			if len(k.Input) == 0 {
				k.Input = nil
			}
		}
		if len(got.Vars) == 0 {
			got.Vars = nil
		}
		if !reflect.DeepEqual(got, h) {
			t.Errorf("%+v came back as %+v", h, got)
		}
		for n := range len(b) {
			if _, err := parseHello(b[:n]); err == nil {
				t.Errorf("the first %d of %d bytes were accepted", n, len(b))
			}
		}
	}
}

func TestSoftMemory(t *testing.T) {
	for _, limit := range []int64{64 << 20, 1 << 30} {
		if soft := softMemory(limit); soft <= 0 || soft >= limit {
			t.Errorf("below a limit of %d the collector works harder from %d on", limit, soft)
		}
	}
}
