package spawn

import (
	"fmt"
	"slices"
	"testing"
)

// TestNote: the warden believes no record that would hit more than one group.
func TestNote(t *testing.T) {
	g := groups{}
	var records []byte
	for _, pid := range []int{10, 20, 30, 1, 0, -1, -20} {
		records = appendRecord(records, '+', pid, 7)
	}
	records = appendRecord(records, '-', 20, 7)
	records = appendRecord(records, '-', 99, 7)
	records = append(records, "+cut"...)
	g.note(records, makers{})
	if fmt.Sprint(g) != "map[10:7 30:7]" {
		t.Errorf("groups %v, want 10 and 30, registered by 7", g)
	}
}

// TestMarker: one, whatever the environment had, and nothing else is touched.
func TestMarker(t *testing.T) {
	given := []string{"A=1", marker + "=7", "B=" + marker + "=8"}
	got := withMarker(given, "5")
	if want := []string{"A=1", "B=" + marker + "=8", marker + "=5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if given[1] != marker+"=7" {
		t.Error("the caller's slice was changed")
	}
	if _, ok := Channel(); ok {
		t.Error("this test is no worker")
	}
}
