package ring

import (
	"encoding/binary"
	"fmt"

	"github.com/tandem-go/tandem/internal/mem"
)

// A lane has three rooms besides its slots, each for one message that is longer than a
// slot: one for a request, which belongs to the slot that took it until that is free
// again, and two for answers, which the worker fills by turns. A slot whose bytes are in
// a room holds the number of the room and their length instead.
const (
	requestRoom = 0
	firstAnswer = 1
	rooms       = 3
)

// Wide is how many bytes a room holds.
const Wide = roomSize

// room is one as both sides see it.
type room struct {
	bytes []byte
	taken flag // of one for answers: there is one in it that the parent has not copied yet
}

func roomsOf(v mem.View, at plan, lane int) (list [rooms]room) {
	for i := range list {
		list[i] = room{v.Bytes(at.roomAt(lane, i), roomSize), flagAt(v, at.takenAt(lane, i))}
	}
	return list
}

// whereabouts is what a slot holds of bytes that are in a room.
const whereabouts = 8

func putWhereabouts(sl *slot, number, length int) {
	binary.NativeEndian.PutUint32(sl.inline[:], uint32(number))
	binary.NativeEndian.PutUint32(sl.inline[4:], uint32(length))
}

// whereaboutsOf reads it once; ok is false if it is none of the rooms from first to last.
func whereaboutsOf(sl *slot, first, last uint32) (number, length int, ok bool) {
	n, l := binary.NativeEndian.Uint32(sl.inline[:]), binary.NativeEndian.Uint32(sl.inline[4:])
	return int(n), int(l), n >= first && n <= last && l <= roomSize
}

// Widen takes the lane's room for the request of a reserved slot, which may have up to
// Wide bytes then. It reports false if another call has it: then the request goes aside.
func (o *Outbox) Widen(s Slot) bool {
	if !o.widened.CompareAndSwap(false, true) {
		return false
	}
	o.entry(s.at).wide = true
	return true
}

// narrow gives the room back, if the slot has it.
func (o *Outbox) narrow(e *entry) {
	if e.wide {
		e.wide = false
		o.widened.Store(false)
	}
}

// put writes a request into the slot, or into its room, and returns what the word says
// of it.
func (o *Outbox) put(sl *slot, e *entry, request []byte) (length int, bits word) {
	switch {
	case len(request) <= Inline:
		return copy(sl.inline[:], request), 0
	case e.wide && len(request) <= Wide:
		copy(o.rooms[requestRoom].bytes, request)
		putWhereabouts(sl, requestRoom, len(request))
		return whereabouts, wideBit
	}
	panic(fmt.Sprintf("tandem: ring: a request of %d bytes in a slot of %d; larger ones need a room, or go aside", len(request), Inline))
}

// answerIn appends the answer in a slot, whose word was w, to dst; ok is false if what
// the slot says makes no sense.
func (o *Outbox) answerIn(sl *slot, w word, dst []byte) (answer []byte, ok bool) {
	if !w.wide() {
		return append(dst, sl.inline[:w.length()]...), true
	}
	number, length, ok := whereaboutsOf(sl, firstAnswer, rooms-1)
	if !ok {
		return dst, false
	}
	r := &o.rooms[number]
	answer = append(dst, r.bytes[:length]...)
	r.taken.Store(0)
	return answer, true
}

// request is the bytes of a request.
func (in *Inbox) request(sl *slot, w word) ([]byte, bool) {
	if !w.wide() {
		return sl.inline[:min(w.length(), Inline)], true
	}
	number, length, ok := whereaboutsOf(sl, requestRoom, requestRoom)
	if !ok {
		return nil, false
	}
	return in.rooms[number].bytes[:length], true
}

// DoneWide is Done for an answer of up to Wide bytes. It reports false, and has done
// nothing, if the parent has not read the wide answers before this one yet.
func (in *Inbox) DoneWide(answer []byte) bool {
	if !in.busy {
		panic("tandem: ring: DoneWide without a request")
	}
	if len(answer) > Wide {
		panic(fmt.Sprintf("tandem: ring: an answer of %d bytes in a room of %d; larger ones go aside", len(answer), Wide))
	}
	for i := firstAnswer; i < rooms; i++ {
		if r := &in.rooms[i]; r.taken.Load() == 0 {
			copy(r.bytes, answer)
			r.taken.Store(1)
			putWhereabouts(in.slot(), i, len(answer))
			in.finish(whereabouts, wideBit)
			return true
		}
	}
	return false
}
