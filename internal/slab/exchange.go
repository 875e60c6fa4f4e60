package slab

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/internal/mem"
)

// Exchange is what one call has of segments: those lent to it for what it sends, and
// those that came with what it received. It is a codec.Store for one call at a time,
// used by one goroutine at a time, and can be used for the next when it was ended.
type Exchange struct {
	Pool   *Pool   // nil: nothing goes this way
	Reader *Reader // nil: nothing comes this way
	Limit  int64   // on the bytes that come, 0: none

	lent    []lent
	used    int // bytes of the last one
	came    []arrival
	fetched int64
}

type lent struct {
	*slab
	handle int
}

type arrival struct {
	handle  int
	segment *mem.Segment
	next    uint64 // where the next content may begin
}

// Place implements codec.Store. Segments grow with a value of many parts, so that
// there are few of them.
func (x *Exchange) Place(h *codec.Handles, n int) ([]byte, codec.Where) {
	if x.Pool == nil {
		return nil, codec.Where{}
	}
	last := len(x.lent) - 1
	if last < 0 || x.lent[last].size-x.used < n {
		want := n
		for _, l := range x.lent {
			want = max(want, l.size)
		}
		s := x.Pool.lend(want)
		if s == nil {
			return nil, codec.Where{}
		}
		i, err := h.Add(s.file)
		if err != nil { // too many descriptors; the bytes go with the others
			x.Pool.give([]*slab{s}, false)
			return nil, codec.Where{}
		}
		x.lent, x.used = append(x.lent, lent{s, i}), 0
		last++
	}
	l, at := x.lent[last], x.used
	x.used = min((at+n+63)&^63, l.size) // cache lines, and every type's alignment
	return l.content()[at : at+n], codec.Where{Handle: l.handle, Offset: uint64(at)}
}

// Fetch implements codec.Store.
func (x *Exchange) Fetch(h *codec.Handles, at codec.Where, n int) ([]byte, error) {
	if x.Reader == nil {
		return nil, errors.New("content in shared memory, where none can come")
	}
	a, err := x.arrival(h, at.Handle)
	if err != nil {
		return nil, err
	}
	size := uint64(max(a.segment.Len()-contentAt, 0))
	switch {
	case n <= 0 || at.Offset < a.next || at.Offset > size || uint64(n) > size-at.Offset:
		return nil, fmt.Errorf("%d bytes at %d of %d in shared memory, where the first free one is %d", n, at.Offset, size, a.next)
	case x.Limit > 0 && int64(n) > x.Limit-x.fetched:
		return nil, fmt.Errorf("content of %d bytes and more, where %d are the limit", n, x.Limit)
	}
	x.fetched += int64(n)
	a.next = at.Offset + uint64(n)
	return a.segment.Bytes(contentAt+int(at.Offset), n), nil
}

// arrival finds the segment that came as a descriptor.
func (x *Exchange) arrival(h *codec.Handles, handle int) (*arrival, error) {
	for i := range x.came {
		if x.came[i].handle == handle {
			return &x.came[i], nil
		}
	}
	f, err := h.Take(handle)
	if err != nil {
		return nil, err
	}
	s, err := x.Reader.open(f)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(x.came, func(a arrival) bool { return a.segment == s }) {
		s.Release()
		return nil, errors.New("one segment came twice")
	}
	x.came = append(x.came, arrival{handle: handle, segment: s})
	return &x.came[len(x.came)-1], nil
}

// End ends the call: nobody here needs what came, and what was lent comes back,
// when the receiver releases it if it was forwarded, and otherwise at once.
func (x *Exchange) End(forwarded bool) {
	if len(x.came)+len(x.lent) > 0 { // so much is inlined: each call comes by here
		x.end(forwarded)
	}
}

func (x *Exchange) end(forwarded bool) {
	for _, a := range x.came {
		x.Reader.done(a.segment)
	}
	if len(x.lent) > 0 {
		back := make([]*slab, len(x.lent))
		for i, l := range x.lent {
			back[i] = l.slab
		}
		x.Pool.give(back, forwarded)
	}
	clear(x.came)
	clear(x.lent)
	x.came, x.lent, x.used, x.fetched = x.came[:0], x.lent[:0], 0, 0
}
