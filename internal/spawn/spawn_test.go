package spawn

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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

// TestWardenDies: a warden that dies has its successor at once, and those that die one
// after the other with a rest between them, while there is a worker.
func TestWardenDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1000
		var mu sync.Mutex // a sleep puts nothing in order
		started, end := 0, make(chan struct{})
		w := &wardenLink{groups: map[int]bool{7: true}}
		w.exec = func(_, _ *os.File) (<-chan struct{}, error) {
			mu.Lock()
			defer mu.Unlock()
			if started++; started == most {
				return nil, errors.New("too many")
			}
			return end, nil
		}
		want := func(n int, when string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if started != n {
				t.Fatalf("%d wardens were started, want %d: %s", started, n, when)
			}
		}
		// dies ends the warden, and each that follows at once, or none.
		dies := func(others bool) {
			mu.Lock()
			defer mu.Unlock()
			dead := end
			if !others {
				end = make(chan struct{})
			}
			close(dead)
		}
		w.mu.Lock()
		w.start()
		w.mu.Unlock()
		want(1, "it lives")
		dies(false)
		want(2, "it has died at once")
		dies(true)
		want(2, "its successor too")
		time.Sleep(3 * rest)
		want(5, "and so do others")
		mu.Lock()
		end = make(chan struct{})
		mu.Unlock()
		time.Sleep(3 * rest)
		want(6, "it lives")
		dies(false)
		want(7, "it has lived and is gone")
		dies(true)
		w.mu.Lock()
		clear(w.groups)
		w.mu.Unlock()
		time.Sleep(3 * rest)
		want(7, "no worker is left")
	})
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
