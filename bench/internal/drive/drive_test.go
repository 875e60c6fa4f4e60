//go:build linux

package drive

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain: the test binary is also the other program of TestRemote.
func TestMain(m *testing.M) {
	switch Mode() {
	case "serve":
		if err := Serve(honest(), nil); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case "refuse":
		Serve(nil, errors.New("not today"))
		os.Exit(0)
	case ModeByte:
		WriteByte()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func honest() *Local {
	return &Local{
		Echo:   func(b Bytes) (Bytes, error) { return b, nil },
		Record: func(s Struct) (Struct, error) { return s, nil },
		Next:   func(i int) (int, error) { return i + 1, nil },
		Blob:   func(b []byte) (int, error) { return Probe(b), nil },
		Codec:  func(s Struct) (Struct, error) { return s, nil },
		Theirs: func() (uint64, error) { theirs += 7; return theirs, nil },
		Each: func(out []int, turns int) error {
			for i := range out {
				out[i] = Item(Pack(i, turns))
			}
			return nil
		},
	}
}

var theirs uint64 // as if a worker had allocated seven objects since it was asked

var orders = []Order{
	{Do: Echo, N: 300}, {Do: Record, N: 3}, {Do: Calls, Callers: 2, Nanos: int64(time.Millisecond)},
	{Do: Map, N: 9, Turns: 2}, {Do: Serial, N: 9}, {Do: Payload, N: 3, Size: 5}, {Do: Codec, N: 2},
	{Do: Allocs, Of: Echo, N: 2}, {Do: Allocs, Of: Record, N: 2},
}

// TestRemote: another program obeys as this one does.
func TestRemote(t *testing.T) {
	r, err := Open(Child("serve"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Session{honest(), r} {
		for _, o := range orders {
			reply, err := s.Do(o)
			told := reply.Theirs != nil && *reply.Theirs == 7
			if err != nil || len(reply.Samples)+reply.Count+int(reply.Nanos) == 0 && !told {
				t.Errorf("%T: %+v: %+v, %v", s, o, reply, err)
			}
		}
		if _, err := s.Do(Order{Do: Start, N: 1}); err == nil {
			t.Errorf("%T obeyed an order that it cannot", s)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(Child("refuse")); err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("a program that refuses: %v", err)
	}
}

// TestLies: a wrong result is an error of every order.
func TestLies(t *testing.T) {
	liar := &Local{
		Echo:   func(b Bytes) (Bytes, error) { b[63]++; return b, nil },
		Record: func(s Struct) (Struct, error) { s.Name = "x"; return s, nil },
		Next:   func(i int) (int, error) { return i, nil },
		Blob:   func(b []byte) (int, error) { return len(b), nil },
		Codec:  func(s Struct) (Struct, error) { s.Data = nil; return s, nil },
		Each:   func([]int, int) error { return nil },
	}
	for _, o := range orders {
		if _, err := liar.Do(o); (err == nil) != (o.Do == Serial) {
			t.Errorf("%s: %v", o.Do, err)
		}
	}
}

// TestAllocs: what a call allocates is counted, and nothing else.
func TestAllocs(t *testing.T) {
	const n = 1000
	var keep []byte
	calls := 0
	l := &Local{Echo: func(b Bytes) (Bytes, error) {
		if calls++; calls%2 == 0 {
			keep = make([]byte, 100+len(keep)%3)
		}
		return b, nil
	}}
	r, err := l.Do(Order{Do: Allocs, Of: Echo, N: n})
	if err != nil || r.Allocs < n/2 || r.Allocs > n/2+n/10 { // others in this process allocate now and then
		t.Errorf("%d allocations in %d calls, want half as many; %v", r.Allocs, n, err)
	}
}

// TestSpread: calls go round, and all peers are closed, also when one fails.
func TestSpread(t *testing.T) {
	var mu sync.Mutex // peers are opened and closed at once
	var opened, closed int
	open := func() (*Local, error) {
		mu.Lock()
		defer mu.Unlock()
		opened++
		me := opened
		if me == 3 {
			return nil, errors.New("no third")
		}
		l := honest()
		l.Next = func(int) (int, error) { return me, nil }
		l.Closer = func() error {
			mu.Lock()
			defer mu.Unlock()
			closed++
			return nil
		}
		return l, nil
	}
	l, err := Spread(2, open)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := l.Next(0)
	b, _ := l.Next(1)
	if err := l.Close(); err != nil || a == b || closed != 2 {
		t.Errorf("calls went to %d and %d, %d were closed, %v", a, b, closed, err)
	}
	opened, closed = 1, 0
	if _, err := Spread(2, open); err == nil || closed != 1 {
		t.Errorf("of two one could not be opened: %v, %d closed", err, closed)
	}
}

// TestStartBare: the byte comes before the end.
func TestStartBare(t *testing.T) {
	if first, join, err := StartBare(); err != nil || first <= 0 || join <= first {
		t.Errorf("first %d, join %d, %v", first, join, err)
	}
}
