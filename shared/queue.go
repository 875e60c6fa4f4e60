package shared

import (
	"context"
	"fmt"
	"math/bits"
	"sync"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
)

// Queue is a bounded queue of items for any number of producers and consumers in any
// processes: what a channel is for goroutines. It is made by NewQueue; the zero Queue
// is closed. Its methods are safe for concurrent use by all processes. It must not be
// copied: pass the pointer. As a field of a task's argument or result it becomes a
// handle of the same queue on the other side.
//
// An item is in the queue when Put returned nil, and belongs to one consumer when Get
// returned it. A process that is killed, at whatever instruction, loses and doubles
// no item that is in the queue; what it had put is there, and what it had taken is
// gone with it. [Queue.Join] finds out about the latter.
//
// Items are copies: T is whatever can be a task's argument, without descriptors and
// shared things. What one producer put is taken in its order. In a process who waits
// longest is served first; between processes one that is awake may overtake one that
// sleeps.
//
// What was written before a Put is seen after the Get of the item.
type Queue[T any] struct {
	handle[queue, *queue]
	codec *codec.Codec[T]
	spare sync.Pool // of *parcel[T]
}

// parcel is an item, or some, on the way.
type parcel[T any] struct {
	raw  []byte
	item T
}

const (
	maxItems = 1 << 30
	maxRoom  = 1 << 30
	// usualItem and leastRoom are what NewQueue expects of items that it cannot know.
	usualItem = 128
	leastRoom = 64 << 10
)

// NewQueue makes a queue of capacity items, 1 or more. Its memory is taken now: that
// of so many items if all values of T are encoded in the same number of bytes, and
// else 128 bytes for each, 64 KiB at least; see NewQueueSize.
func NewQueue[T any](capacity int) (*Queue[T], error) {
	return NewQueueSize[T](capacity, max(leastRoom, min(capacity, maxItems)*usualItem))
}

// NewQueueSize is NewQueue for items of different sizes, strings for instance: it has
// room for that many bytes, 1 GiB at most, rounded up to a power of two. The queue is
// full when its capacity is reached or its room; an item takes its encoding and 4
// bytes. One that does not even fit into the empty queue is an error of Put. For a T
// whose values all have one size the number of bytes is not used.
func NewQueueSize[T any](capacity, bytes int) (*Queue[T], error) {
	c, err := queued[T]()
	if err != nil {
		return nil, err
	}
	size, fixed := c.Fixed()
	if fixed {
		bytes = min(capacity, maxItems) * size
	}
	if capacity < 1 || capacity > maxItems || bytes < 0 || bytes > maxRoom {
		return nil, fmt.Errorf("tandem: shared.NewQueue: %d items in %d bytes; there is room for at least one, and for at most 1073741824 in 1 GiB", capacity, bytes)
	}
	room := 1 << bits.Len(uint(max(bytes, 64)-1))
	q := &Queue[T]{codec: c}
	if err := q.makeWith(c.Schema(), room, uint64(pair32{uint32(capacity), uint32(room)}.word()), itemSize(size, fixed)); err != nil {
		return nil, err
	}
	return q, nil
}

// queued is the codec of what can be in a queue.
func queued[T any]() (*codec.Codec[T], error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, fmt.Errorf("tandem: shared.Queue: %w", err)
	}
	if at := c.Carries(); at != "" {
		return nil, fmt.Errorf("tandem: shared.Queue[%T]: %s has a descriptor, which memory cannot hold; pass it as an argument of the task", *new(T), at)
	}
	return c, nil
}

// Put appends an item, and waits as long as the queue is full. It returns nil with
// the item in the queue, or an error without it: ErrSendClosed, the cause of ctx, what
// the codec says, or an error that wraps tandem.ErrClosed. Room that is there is used
// without a look at ctx. It costs some 100 ns.
func (q *Queue[T]) Put(ctx context.Context, item T) error {
	p := q.parcel()
	defer q.back(p)
	p.item = item
	v, err := q.pack(p, &p.item)
	if err != nil {
		return err
	}
	_, err = v.send(ctx, p.raw, 1)
	return q.error(err)
}

// TryPut is Put if there is room at once, and reports whether there was.
func (q *Queue[T]) TryPut(item T) (ok bool, err error) {
	p := q.parcel()
	defer q.back(p)
	p.item = item
	v, err := q.pack(p, &p.item)
	if err != nil {
		return false, err
	}
	n, err := v.trySend(p.raw, 1)
	return n == 1, q.error(err)
}

// Get takes the first item, and waits as long as there is none. It returns io.EOF,
// itself, when there is none and CloseSend was called; or the cause of ctx, or an
// error that wraps tandem.ErrClosed, without an item. An item that is there is taken
// without a look at ctx. It costs some 100 ns; who waits looks for 20 µs before it
// sleeps, if there is more than one processor.
func (q *Queue[T]) Get(ctx context.Context) (item T, err error) {
	p := q.parcel()
	defer q.back(p)
	if v := q.at.Load(); v == nil {
		err = closed("Queue")
	} else if p.raw, _, err = v.receive(ctx, p.raw, 1); err == nil {
		err = q.unpack(p.raw, &p.item)
	}
	return p.item, q.error(err)
}

// TryGet is Get if there is an item at once, and reports whether there was.
func (q *Queue[T]) TryGet() (item T, ok bool, err error) {
	p := q.parcel()
	defer q.back(p)
	v, n := q.at.Load(), 0
	if v == nil {
		return item, false, closed("Queue")
	}
	if p.raw, n, err = v.tryReceive(p.raw, 1); n == 1 {
		err = q.unpack(p.raw, &p.item)
	}
	return p.item, n == 1 && err == nil, q.error(err)
}

// CloseSend says that nothing will be put any more: it is close of a channel, for all
// processes. Put fails from now on, also where it waits, and Get takes what is there
// and then returns io.EOF. It may be called again. The death of a producer does not
// end a queue: who learns of it, as the error of a call, calls CloseSend.
func (q *Queue[T]) CloseSend() error {
	v, err := q.enter(context.Background())
	if err != nil {
		return err
	}
	v.SetWord(ended, 1)
	v.WakeAll()
	return q.error(v.Leave())
}

// Len is the number of items in the queue, 0 if the handle is closed.
func (q *Queue[T]) Len() int {
	v, err := q.enter(context.Background())
	if err != nil {
		return 0
	}
	defer v.Leave()
	c, _ := v.content()
	return int(c.items)
}

// Cap is the capacity, 0 if the handle is closed.
func (q *Queue[T]) Cap() int {
	if v := q.at.Load(); v != nil {
		return v.capacity
	}
	return 0
}

// AppendHandles lets a Queue travel.
func (q *Queue[T]) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	return q.handle.AppendHandles(dst, h)
}

// SetHandles makes q a handle of what was sent.
func (q *Queue[T]) SetHandles(src []byte, h *tandem.Handles) error {
	c, err := queued[T]()
	if err != nil {
		return err
	}
	if q.at.Load() == nil {
		q.codec = c
	}
	if err := q.take(src, h, c.Schema()); err != nil {
		return err
	}
	if v := q.at.Load(); v != nil && itemSize(c.Fixed()) != itemSize(v.size, v.size != differs) {
		q.Close()
		return fmt.Errorf("tandem: shared.Queue: one with items of %d bytes came", v.size)
	}
	return nil
}

func (q *Queue[T]) parcel() *parcel[T] {
	if p, ok := q.spare.Get().(*parcel[T]); ok {
		return p
	}
	return new(parcel[T])
}

// back keeps p for the next one, unless it has become large.
func (q *Queue[T]) back(p *parcel[T]) {
	if cap(p.raw) > 2*runBytes {
		return
	}
	p.raw, p.item = p.raw[:0], *new(T)
	q.spare.Put(p)
}

// pack appends an item to p as it lies in the queue.
func (q *Queue[T]) pack(p *parcel[T], item *T) (*queue, error) {
	v := q.at.Load()
	if v == nil {
		return nil, closed("Queue")
	}
	start := len(p.raw)
	raw, err := q.codec.Append(v.open(p.raw), item, nil)
	if err == nil {
		err = v.close(raw, start)
	}
	if err != nil {
		p.raw = p.raw[:start]
		return nil, fmt.Errorf("tandem: shared.Queue: %w", err)
	}
	p.raw = raw
	return v, nil
}

// unpack sets *item to the one in raw, which a peer has written; but raw is a copy.
func (q *Queue[T]) unpack(raw []byte, item *T) error {
	v := q.at.Load()
	if v == nil {
		return closed("Queue")
	}
	if err := q.codec.Decode(v.body(raw), item, nil); err != nil {
		return fmt.Errorf("tandem: shared.Queue: %w", err)
	}
	return nil
}
