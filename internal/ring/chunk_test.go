//go:build linux

package ring_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// items is a request of n items, a byte each.
func items(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func publishItems(t testing.TB, o *ring.Outbox, n int) ring.Slot {
	t.Helper()
	s := reserve(t, o)
	o.PublishItems(s, items(n), n)
	return s
}

// outcome is what the worker of these tests answers to item i.
func outcome(i int) []byte { return fmt.Appendf(nil, "%03d;", i) }

func outcomes(n int) (b []byte) {
	for i := range n {
		b = append(b, outcome(i)...)
	}
	return b
}

// run begins up to n items of the present chunk and answers all but the last; out
// is what it has appended to Room.
func run(t testing.TB, in *ring.Inbox, r ring.Request, n int) (out []byte, ran int) {
	out = in.Room()
	for ran < n && in.Begin(ran) {
		if ran++; ran < n || n == r.Items {
			out = append(out, outcome(int(r.Bytes[ran-1]))...)
		}
	}
	return out, ran
}

// TestChunk: all items of a chunk run in order, and their outcomes may overwrite
// the request while it is still needed.
func TestChunk(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 2})
	o, in := p.Lanes()[0], w.Lanes()[0]
	for _, n := range []int{1, 2, 3, 250} {
		s := publishItems(t, o, n)
		r, err := in.Next()
		if err != nil || r.Items != n || !bytes.Equal(r.Bytes, items(n)) {
			t.Fatalf("Next = %d items in %d bytes, %v; want %d", r.Items, len(r.Bytes), err, n)
		}
		out, ran := run(t, in, r, n)
		if ran != n || o.Begun(s) != n || in.Begin(n) {
			t.Errorf("%d items: ran %d, begun %d", n, ran, o.Begun(s))
		}
		in.Done(out)
		answer, begun, aside, err := o.WaitItems(s, nil, nil)
		if err != nil || aside || begun != n || !bytes.Equal(answer, outcomes(n)) {
			t.Errorf("WaitItems = %q, %d, %v, %v", answer, begun, aside, err)
		}
		if o.Trim(s) != ring.Untaken {
			t.Error("a settled chunk was trimmed")
		}
	}
	// The same slots serve plain calls.
	s := publish(t, o, "plain")
	if o.Trim(s) != ring.Untaken {
		t.Error("a plain call was trimmed")
	}
	if r := next(t, in, "plain"); r.Items != 0 {
		t.Errorf("a plain call of %d items", r.Items)
	}
	in.Done(nil)
	o.Wait(s, nil, nil)
}

// TestTrim: what the worker has not begun is taken back, at any time, and it never
// begins it.
func TestTrim(t *testing.T) {
	for _, begin := range []int{-1, 0, 1, 5, 10} { // -1: still queued
		p, w := pair(t, ring.Config{Lanes: 1, Slots: 2})
		o, in := p.Lanes()[0], w.Lanes()[0]
		s := publishItems(t, o, 10)
		var out []byte
		var r ring.Request
		if begin >= 0 {
			r, _ = in.Next()
			out, _ = run(t, in, r, begin)
		}
		want := max(begin, 0)
		if a, b := o.Trim(s), o.Trim(s); a != want || b != want {
			t.Errorf("Trim = %d, again %d; want %d", a, b, want)
		}
		if begin < 0 {
			if r, _ = in.Next(); r.Items < 1 {
				t.Error("a trimmed chunk looks like a plain call")
			}
			out = in.Room()
		}
		if begin < 10 && in.Begin(want) {
			t.Errorf("item %d was begun after Trim", want)
		}
		if begin > 0 && begin < 10 {
			out = append(out, outcome(begin-1)...)
		}
		in.Done(out)
		if s2 := o.Trim(s); s2 != want {
			t.Errorf("Trim of an answered chunk = %d, want %d", s2, want)
		}
		answer, begun, _, err := o.WaitItems(s, nil, nil)
		if err != nil || begun != want || !bytes.Equal(answer, outcomes(want)) {
			t.Errorf("WaitItems = %q, %d, %v; want %d outcomes", answer, begun, err, want)
		}
		if o.Trim(s) != ring.Untaken {
			t.Error("Trim of a settled chunk took something")
		}
	}
}

// TestPeek: the outcomes in front are complete while the next item runs.
func TestPeek(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 2})
	o, in := p.Lanes()[0], w.Lanes()[0]
	s := publishItems(t, o, 10)
	if answer, begun := o.Peek(s, nil); begun != 0 || len(answer) != 0 {
		t.Errorf("Peek of a queued chunk = %q, %d", answer, begun)
	}
	r, _ := in.Next()
	run(t, in, r, 4)
	if answer, begun := o.Peek(s, []byte("before;")); begun != 4 || !strings.HasPrefix(string(answer), "before;000;001;002;") {
		t.Errorf("Peek = %.20q, %d; want 3 outcomes", answer, begun)
	}
	in.Done(nil)
	o.WaitItems(s, nil, nil)
	if answer, begun := o.Peek(s, nil); begun != 0 || len(answer) != 0 {
		t.Errorf("Peek of a settled chunk = %q, %d", answer, begun)
	}
}

// TestChunkDeath: a worker's death costs the one item that ran.
func TestChunkDeath(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o, in := p.Lanes()[0], w.Lanes()[0]
	a, b := publishItems(t, o, 10), publishItems(t, o, 10)
	r, _ := in.Next()
	run(t, in, r, 4)
	p.Fail()
	answer, begun, _, err := o.WaitItems(a, nil, nil)
	if err != ring.ErrGone || begun != 4 || !bytes.HasPrefix(answer, outcomes(3)) {
		t.Errorf("the one that ran: %.20q, %d, %v", answer, begun, err)
	}
	if in.Begin(4) {
		t.Error("an item began that its waiter had been told would not")
	}
	if answer, begun, _, err := o.WaitItems(b, nil, nil); err != ring.ErrUnstarted || begun != 0 || len(answer) != 0 {
		t.Errorf("the one that was queued: %q, %d, %v", answer, begun, err)
	}
}

// TestChunkTakenBack: a queued chunk is taken back whole, as any call.
func TestChunkTakenBack(t *testing.T) {
	p, _ := pair(t, ring.Config{Lanes: 1, Slots: 4})
	o := p.Lanes()[0]
	s := publishItems(t, o, 10)
	if !o.TakeBack(s) || o.Trim(s) != ring.Untaken {
		t.Error("not taken back, or twice")
	}
	if _, begun, _, err := o.WaitItems(s, nil, nil); err != ring.ErrTaken || begun != 0 {
		t.Errorf("WaitItems = %d, %v", begun, err)
	}
}

// TestChunkViolation: a count that no rule allows fails the chunk, and no item of
// it is called not begun.
func TestChunkViolation(t *testing.T) {
	at := func(position, begun, limit uint64) func(uint64) uint64 {
		return func(w uint64) uint64 { return w + position<<32&^(1<<32-1) | limit<<16 | begun }
	}
	set := func(begun, limit uint64) func(uint64) uint64 {
		return func(w uint64) uint64 { return w>>32<<32 | limit<<16 | begun }
	}
	for name, c := range map[string]struct {
		trim     bool // when 4 of 10 were begun
		scribble func(uint64) uint64
	}{
		"more begun than there are":      {false, set(11, 11)},
		"a limit of its own":             {false, set(4, 9)},
		"more begun than may be":         {false, set(11, 10)},
		"another position":               {false, at(1, 0, 0)},
		"all bits":                       {false, func(uint64) uint64 { return ^uint64(0) }},
		"no bits":                        {false, func(uint64) uint64 { return 0 }},
		"trimmed, begun nevertheless":    {true, set(10, 10)},
		"trimmed, the limit is as was":   {true, set(4, 10)},
		"trimmed, then less than it was": {true, set(3, 4)},
	} {
		for _, end := range []string{"done", "death"} {
			p, w := pair(t, ring.Config{Lanes: 1, Slots: 4})
			o, in := p.Lanes()[0], w.Lanes()[0]
			b := rawMemory(t, p.Files()[0])
			s, other := publishItems(t, o, 10), publishItems(t, o, 10)
			r, _ := in.Next()
			run(t, in, r, 4)
			limit := 10
			if c.trim {
				if limit = o.Trim(s); limit != 4 {
					t.Fatalf("Trim = %d", limit)
				}
			}
			g := p.ProgressAt(0, s)
			binary.NativeEndian.PutUint64(b[g:], c.scribble(binary.NativeEndian.Uint64(b[g:])))
			if end == "done" {
				in.Done(outcomes(4))
			} else {
				p.Fail()
			}
			if _, begun, _, err := o.WaitItems(s, nil, nil); !errors.Is(err, wire.ErrProtocol) || begun != limit {
				t.Errorf("%s, %s: WaitItems = %d begun, %v; want a violation and %d", name, end, begun, err, limit)
			}
			if o.Trim(other) != ring.Untaken {
				t.Errorf("%s: Trim believes the worker still", name)
			}
			p.Fail()
			if _, begun, _, err := o.WaitItems(other, nil, nil); err != ring.ErrGone || begun != 10 {
				t.Errorf("%s: then another chunk: %d begun, %v; want ErrGone and all", name, begun, err)
			}
			unix.Munmap(b)
		}
	}
}

// sleepy counts, and does something at its first sleep.
type sleepy struct {
	slept int
	act   func()
}

func (s *sleepy) Sleep() {
	if s.slept++; s.act != nil {
		s.act()
	}
}

// TestSleep: a watcher hears of a sleep once, before it, and of no call that is
// answered already; what it does there is not slept through.
func TestSleep(t *testing.T) {
	for _, alone := range []bool{true, false} {
		p, w := pair(t, ring.Config{Lanes: 1})
		o, in := p.Lanes()[0], w.Lanes()[0]
		s := publish(t, o, "x")
		next(t, in, "x")
		in.Done(nil)
		var sl sleepy
		if o.Wait(s, nil, &sl); sl.slept != 0 {
			t.Error("Sleep, and the answer was there")
		}
		end := make(chan error, 1)
		if !alone { // another one waits all the time, so the first parks
			s := publish(t, o, "other")
			next(t, in, "other")
			go func() { _, _, err := o.Wait(s, nil, nil); end <- err }()
			p.AwaitAsleep()
		}
		for name, act := range map[string]func(s ring.Slot){
			"take back": func(s ring.Slot) {
				if !o.TakeBack(s) {
					t.Error("not taken back")
				}
			},
			"other goroutine": func(s ring.Slot) { go o.TakeBack(s) },
		} {
			s := publish(t, o, "y")
			sl = sleepy{act: func() { act(s) }}
			if _, _, err := o.Wait(s, nil, &sl); err != ring.ErrTaken || sl.slept != 1 {
				t.Errorf("%s, alone %v: Wait = %v, slept %d times", name, alone, err, sl.slept)
			}
		}
		if !alone {
			in.Done(nil)
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		s = publish(t, o, "z")
		sl = sleepy{act: p.Fail}
		if _, _, err := o.Wait(s, nil, &sl); err != ring.ErrUnstarted {
			t.Errorf("failed in Sleep: Wait = %v", err)
		}
	}
}

// TestUntouched: what no call has used costs no memory.
func TestUntouched(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 4})
	for range 3 {
		s := publish(t, p.Lanes()[0], "x")
		next(t, w.Lanes()[0], "x")
		w.Lanes()[0].Done(nil)
		p.Lanes()[0].Wait(s, nil, nil)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(p.Files()[0].Fd()), &st); err != nil {
		t.Fatal(err)
	}
	if most := int64(8 * 4096); st.Blocks*512 > most {
		t.Errorf("a ring of %d bytes takes %d after three calls, want at most %d", st.Size, st.Blocks*512, most)
	}
}

// TestTakeBackOften: a lane whose worker stands still can be emptied again and
// again, whether its callers look, sleep or are parked.
func TestTakeBackOften(t *testing.T) {
	for _, spinners := range []*ring.Spinners{nil, newSpinners(t, 2)} {
		p, _ := pair(t, ring.Config{Lanes: 2, Slots: 64, Spinners: spinners})
		for round := range 200 {
			callers := 1 + round%3*31 // 1, 32, 63
			o := p.Lanes()[round%2]
			var slots []ring.Slot
			ends := make(chan error, callers)
			for range callers {
				s := publish(t, o, "x")
				slots = append(slots, s)
				go func() { _, _, err := o.Wait(s, nil, nil); ends <- err }()
			}
			if round%2 == 0 {
				p.AwaitAsleep()
			}
			if round%4 == 1 {
				slices.Reverse(slots)
			}
			for _, s := range slots {
				if !o.TakeBack(s) {
					t.Fatal("a queued call was not taken back")
				}
			}
			for range callers {
				if err := <-ends; err != ring.ErrTaken {
					t.Fatalf("Wait = %v, want ErrTaken", err)
				}
			}
		}
	}
}
