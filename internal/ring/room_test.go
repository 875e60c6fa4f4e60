//go:build linux

package ring_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/ring"
	"github.com/tandem-go/tandem/internal/wire"
)

// noise is n bytes that differ from those of another seed.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8) ^ byte(i) ^ seed
	}
	return b
}

// TestWide: requests and answers of all sizes up to that of a room come whole, with
// short ones between, for many rounds of a lane.
func TestWide(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 2, Slots: 4})
	for lane := range 2 {
		o, in := p.Lanes()[lane], w.Lanes()[lane]
		for round := range byte(10) {
			for _, n := range []int{0, 1, ring.Inline, ring.Inline + 1, ring.Wide - 1, ring.Wide} {
				s := reserve(t, o)
				if !o.Widen(s) {
					t.Fatal("nobody has the room, and it is not given")
				}
				o.Publish(s, noise(n, round))
				r, err := in.Next()
				if err != nil || r.Aside || !bytes.Equal(r.Bytes, noise(n, round)) {
					t.Fatalf("a request of %d bytes: %d, aside %v, %v", n, len(r.Bytes), r.Aside, err)
				}
				if !in.DoneWide(noise(n, round+100)) {
					t.Fatal("no wide answer is unread, and there is no room")
				}
				answer, aside, err := o.Wait(s, []byte("before"), nil)
				if err != nil || aside || !bytes.Equal(answer, append([]byte("before"), noise(n, round+100)...)) {
					t.Fatalf("an answer of %d bytes: %d, aside %v, %v", n, len(answer), aside, err)
				}
			}
		}
	}
}

// TestRoomForRequests: one slot has it, from Widen until the slot is free, however its
// call ends.
func TestRoomForRequests(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 8})
	o, in := p.Lanes()[0], w.Lanes()[0]
	long := noise(ring.Inline+1, 1)
	take := func() (first, second ring.Slot) {
		first, second = reserve(t, o), reserve(t, o)
		if !o.Widen(first) || o.Widen(second) {
			t.Fatal("the room is the first one's, and only its")
		}
		return first, second
	}

	a, b := take()
	o.Abandon(a)
	o.Abandon(b)

	a, b = take()
	o.Publish(a, long)
	o.Abandon(b)
	if !o.TakeBack(a) {
		t.Fatal("not taken back")
	}
	if _, _, err := o.Wait(a, nil, nil); err != ring.ErrTaken {
		t.Fatal(err)
	}

	a, b = take()
	o.Publish(a, long)
	o.Publish(b, []byte("short"))
	if r, err := in.Next(); err != nil || !bytes.Equal(r.Bytes, long) {
		t.Fatalf("%d bytes, %v", len(r.Bytes), err)
	}
	in.Done(nil)
	o.Wait(a, nil, nil)
	next(t, in, "short")
	in.Done(nil)
	o.Wait(b, nil, nil)
	take()
}

// TestRoomsForAnswers: there are two, each until its answer was read.
func TestRoomsForAnswers(t *testing.T) {
	p, w := pair(t, ring.Config{Lanes: 1, Slots: 8})
	o, in := p.Lanes()[0], w.Lanes()[0]
	var list []ring.Slot
	for i := range byte(3) {
		list = append(list, publish(t, o, "x"))
		next(t, in, "x")
		if done := in.DoneWide(noise(ring.Wide, i)); done != (i < 2) {
			t.Fatalf("wide answer %d: %v", i, done)
		}
	}
	read := func(i byte) {
		t.Helper()
		if got, _, err := o.Wait(list[i], nil, nil); err != nil || !bytes.Equal(got, noise(ring.Wide, i)) {
			t.Fatalf("answer %d: %d bytes, %v", i, len(got), err)
		}
	}
	read(1)
	if !in.DoneWide(noise(ring.Wide, 2)) {
		t.Fatal("one was read, and there is no room")
	}
	read(2)
	read(0)
}

// TestHostileRoom: an answer in a room that is not there, or longer than one, breaks a
// rule.
func TestHostileRoom(t *testing.T) {
	for name, c := range map[string]struct {
		number, length uint32
		ok             bool
	}{
		"the first":         {1, 5, true},
		"the second":        {2, ring.Wide, true},
		"that for requests": {0, 5, false},
		"none":              {3, 5, false},
		"far away":          {1 << 31, 5, false},
		"longer by a byte":  {1, ring.Wide + 1, false},
		"as long as can be": {2, 1<<32 - 1, false},
	} {
		p, _ := pair(t, ring.Config{Lanes: 1, Slots: 4})
		o := p.Lanes()[0]
		b := rawMemory(t, p.Files()[0])
		s := publish(t, o, "x")
		at := p.WordAt(0, s)
		binary.NativeEndian.PutUint32(b[at+16:], c.number)
		binary.NativeEndian.PutUint32(b[at+20:], c.length)
		word := binary.NativeEndian.Uint64(b[at:])
		binary.NativeEndian.PutUint64(b[at:], word&^(7|0xfff<<6)|4|1<<5|8<<6) // an answer, wide, 8 bytes that say where
		answer, _, err := o.Wait(s, nil, nil)
		if c.ok && (err != nil || len(answer) != int(c.length)) || !c.ok && (!errors.Is(err, wire.ErrProtocol) || len(answer) != 0) {
			t.Errorf("%s: %d bytes, %v", name, len(answer), err)
		}
		unix.Munmap(b)
	}
}
