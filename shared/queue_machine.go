package shared

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/monitor"
)

// queue is a Queue as one process sees it: a ring of bytes behind the monitor. An
// item lies there as the codec wrote it, with its length in front where that differs.
//
//	word    upper 32 bits             lower 32 bits
//	bounds  most items                bytes of the ring, a power of two; fixed
//	item    –                         1 + the bytes of every item, 0 if they differ; fixed
//	tail    items put so far          bytes put so far
//	head    items taken so far        bytes taken so far
//	done    how often all was done    items reported done
//	ended   –                         1: nothing comes any more
//
// All counts begin again after 2^32; only differences mean something. A put writes
// behind the tail, where nobody reads, and then stores tail: one word, and the item
// is in the queue. A take copies, and then stores head: one word, and the item is
// taken. Who dies before its store has done nothing, who dies after it has done all,
// so there is nothing to repair.
//
// The state of a place is what its process has taken and not reported done, and in
// the lower half the bytes for which its first producer waits.
type queue struct {
	watch
	ring     []byte
	capacity int
	size     int // of each item, or differs
	mine     uint32
	eyes     [2]eye
}

// The words of a queue.
const (
	bounds = iota
	item
	tail
	head
	done
	ended
)

// The queues of those who wait.
const (
	getting = iota
	putting
	joining
)

const (
	ringAt  = mem.HeaderSize + monitor.Size
	differs = -1
	prefix  = 4 // bytes of a length
)

// errScribbled: what is in shared memory no process of ours has written.
var errScribbled = errors.New("tandem: shared.Queue: its memory was written over; make a new one")

// pair32 is a word of two counts.
type pair32 struct{ items, bytes uint32 }

func (p pair32) word() uint64 { return uint64(p.items)<<32 | uint64(p.bytes) }

func (p pair32) minus(q pair32) pair32 { return pair32{p.items - q.items, p.bytes - q.bytes} }

func (p pair32) plus(items, bytes int) pair32 {
	return pair32{p.items + uint32(items), p.bytes + uint32(bytes)}
}

func (v *queue) pair(k int) pair32 {
	w := v.Word(k)
	return pair32{uint32(w >> 32), uint32(w)}
}

// itemSize is the word item.
func itemSize(size int, fixed bool) uint64 {
	if fixed {
		return 1 + uint64(size)
	}
	return 0
}

func (*queue) kind() (mem.Kind, string) { return mem.KindQueue, "Queue" }

func (v *queue) begin(m *monitor.Monitor) error {
	v.Monitor = m
	b, size := v.pair(bounds), v.pair(item).bytes
	room := int(b.bytes)
	if b.items < 1 || b.items > maxItems || room&(room-1) != 0 || room < 1 || room > m.Segment().Len()-ringAt || size > maxRoom {
		return fmt.Errorf("tandem: shared.Queue: one of %d items in %d bytes came", b.items, room)
	}
	v.ring, v.capacity, v.size = m.Segment().Bytes(ringAt, room), int(b.items), int(size)-1
	return nil
}

// content is how much is in the queue, of what peers may have written.
func (v *queue) content() (pair32, error) {
	c := v.pair(tail).minus(v.pair(head))
	switch {
	case int64(c.items) > int64(v.capacity), int64(c.bytes) > int64(len(v.ring)),
		v.size != differs && int64(c.bytes) != int64(c.items)*int64(v.size),
		v.size == differs && int64(c.bytes) < int64(c.items)*prefix:
		return pair32{}, errScribbled
	}
	return c, nil
}

// first is how many bytes the first item of raw takes there.
func (v *queue) first(raw []byte) int {
	if v.size != differs {
		return v.size
	}
	return prefix + int(min(binary.NativeEndian.Uint32(raw), maxRoom))
}

// open appends what is in front of an item, and close fills it in, for the item that
// begins at start.
func (v *queue) open(raw []byte) []byte {
	if v.size == differs {
		raw = append(raw, make([]byte, prefix)...)
	}
	return raw
}

func (v *queue) close(raw []byte, start int) error {
	if n := len(raw) - start; n > len(v.ring) {
		return fmt.Errorf("an item of %d bytes, and the queue has room for %d; see NewQueueSize", n, len(v.ring))
	}
	if v.size == differs {
		binary.NativeEndian.PutUint32(raw[start:], uint32(len(raw)-start-prefix))
	}
	return nil
}

// body is the one item in raw without what is in front.
func (v *queue) body(raw []byte) []byte {
	if v.size == differs {
		return raw[prefix:]
	}
	return raw
}

// put appends what there is room for of the n items in raw, and reports how many and
// how many bytes that was.
func (v *queue) put(raw []byte, n int) (items, bytes int, err error) {
	c, err := v.content()
	if err != nil {
		return 0, 0, err
	}
	if v.Word(ended) != 0 {
		return 0, 0, ErrSendClosed
	}
	free := len(v.ring) - int(c.bytes)
	for ; items < min(n, v.capacity-int(c.items)); items++ {
		next := v.first(raw[bytes:])
		if bytes+next > free {
			break
		}
		bytes += next
	}
	if items > 0 {
		t := v.pair(tail)
		v.write(t.bytes, raw[:bytes])
		v.SetWord(tail, t.plus(items, bytes).word())
	}
	if items < n {
		v.hold(v.mine, uint32(v.first(raw[bytes:])))
	}
	return items, bytes, nil
}

// putBack puts one item in front of all, by the one who took it.
func (v *queue) putBack(raw []byte) (bool, error) {
	c, err := v.content()
	if err != nil || int(c.items) >= v.capacity || len(raw) > len(v.ring)-int(c.bytes) {
		v.hold(v.mine, uint32(len(raw)))
		return err != nil, err
	}
	h := v.pair(head).plus(-1, -len(raw))
	v.write(h.bytes, raw)
	v.SetWord(head, h.word())
	v.hold(v.mine-min(v.mine, 1), 0)
	return true, nil
}

// get takes up to most items, about runBytes of them, and appends them to raw. It
// takes none, without an error, where one would wait.
func (v *queue) get(raw []byte, most int) (_ []byte, items int, err error) {
	c, err := v.content()
	if err != nil {
		return raw, 0, err
	}
	if c.items == 0 && v.Word(ended) != 0 {
		return raw, 0, io.EOF
	}
	h, bytes := v.pair(head), 0
	for items < min(most, int(c.items)) && (items == 0 || bytes < runBytes) {
		next := v.size
		if next == differs {
			if int(c.bytes)-bytes < prefix {
				return raw, 0, errScribbled
			}
			raw = v.read(raw, h.bytes+uint32(bytes), prefix)
			next = v.first(raw[len(raw)-prefix:])
			raw = raw[:len(raw)-prefix]
		}
		if next > int(c.bytes)-bytes {
			return raw, 0, errScribbled
		}
		bytes, items = bytes+next, items+1
	}
	if items > 0 {
		raw = v.read(raw, h.bytes, bytes)
		v.SetWord(head, h.plus(items, bytes).word())
		v.hold(v.mine+uint32(items), uint32(v.State(v.Me())))
	}
	return raw, items, nil
}

// write and read copy to and from the ring, at a count of bytes.
func (v *queue) write(at uint32, p []byte) {
	n := copy(v.ring[at&uint32(len(v.ring)-1):], p)
	copy(v.ring, p[n:])
}

func (v *queue) read(dst []byte, at uint32, n int) []byte {
	from := v.ring[at&uint32(len(v.ring)-1):]
	dst = append(dst, from[:min(n, len(from))]...)
	return append(dst, v.ring[:max(n-len(from), 0)]...)
}

// hold sets the state of this process.
func (v *queue) hold(taken, need uint32) {
	v.mine = taken
	v.SetState(v.Me(), pair32{taken, need}.word())
}

func (*queue) Gone(place, pid int) {}

// Settle wakes those who find something. They are no longer counted as waiting until
// they have looked, so of many puts in a row the first one wakes.
func (v *queue) Settle() {
	c, err := v.content()
	if err != nil {
		return // who waits finds out when he looks
	}
	for left, tries := int(c.items), v.Used(); left > 0 && tries > 0; tries-- {
		i := v.First(getting)
		if i < 0 {
			break
		}
		n := v.Waiting(i, getting)
		v.Serve(i, getting, n)
		left -= n
	}
	if i := v.First(putting); i >= 0 && int(c.items) < v.capacity && int(uint32(v.State(i))) <= len(v.ring)-int(c.bytes) {
		v.Serve(i, putting, v.Waiting(i, putting))
	}
}
