package shared

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/leak"
	"github.com/tandem-go/tandem/internal/lock"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

// pinned is what Buffer and Slice have in common: memory of any length, which stays
// while somebody is inside. K says which of the two it is.
type pinned[K what] struct {
	at      atomic.Pointer[region] // nil: never opened; go vet reports a copied one
	cleanup atomic.Pointer[runtime.Cleanup]
	mark    atomic.Pointer[leak.Mark]
}

// what a pinned thing is: its kind and name, and where its elements begin.
type what interface {
	what() (kind mem.Kind, name string, data int)
}

// open makes h a handle of the n elements in s, and takes the reference to s. The
// lock is nil where there is none.
func (h *pinned[K]) open(s *mem.Segment, n int, l *lock.Lock) error {
	r := newRegion(s, n, l)
	old := h.at.Load()
	if old.inUse() || !h.at.CompareAndSwap(old, r) {
		r.close()
		name := h.name()
		return fmt.Errorf("tandem: shared.%s: a value is decoded into a %s that is open or pinned; close it first", name, name)
	}
	c := runtime.AddCleanup(h, func(r *region) { r.close() }, r)
	h.cleanup.Store(&c)
	m := leak.OpenHere("shared." + h.name())
	leak.Watch(h, m)
	h.mark.Store(m)
	return nil
}

func (h *pinned[K]) name() string {
	var k K
	_, name, _ := k.what()
	return name
}

// pin returns the memory, which stays until its unpin.
func (h *pinned[K]) pin() (*region, error) {
	r := h.at.Load()
	if !r.pin() {
		return nil, closed(h.name())
	}
	return r, nil
}

// Len is the number of elements, which never changes; 0 for the zero value.
func (h *pinned[K]) Len() int {
	if r := h.at.Load(); r != nil {
		return r.n
	}
	return 0
}

// Unpin ends what Slice began: the slice must not be touched any more. It panics if
// there are more calls of it than of Slice.
func (h *pinned[K]) Unpin() {
	if !h.at.Load().unpin() {
		panic(fmt.Sprintf("tandem: shared.%s: Unpin without Slice", h.name()))
	}
}

// Close gives this handle back; other handles, here and in other processes, stay.
// The memory goes with the last of them, and with the last pin. Close may be called
// again.
func (h *pinned[K]) Close() error {
	if c := h.cleanup.Swap(nil); c != nil {
		c.Stop()
	}
	h.mark.Swap(nil).Close()
	return h.at.Load().close()
}

// give lends the descriptor to handles and appends its index and the number of
// elements.
func (h *pinned[K]) give(dst []byte, handles *tandem.Handles) ([]byte, error) {
	r, err := h.pin()
	if err != nil {
		return dst, err
	}
	defer r.unpin()
	dst, err = appendSegment(dst, handles, r.segment)
	if err != nil {
		return dst, err
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(r.n)), nil
}

// take opens the segment that was sent, with n elements of a size in it.
func (h *pinned[K]) take(src []byte, handles *tandem.Handles, schema uint64, size int) (s *mem.Segment, n int, err error) {
	var k K
	kind, name, data := k.what()
	if len(src) != 1+8 {
		return nil, 0, fmt.Errorf("tandem: shared.%s: a handle of %d bytes, want 9", name, len(src))
	}
	s, err = takeSegment(src[:1], handles, kind, schema)
	if err != nil {
		return nil, 0, err
	}
	sent := binary.LittleEndian.Uint64(src[1:])
	if room := s.Len() - data; sent > math.MaxInt || room < 0 || sent > uint64(room/max(size, 1)) {
		s.Release()
		return nil, 0, fmt.Errorf("tandem: shared.%s: the segment that came is too small for %d elements", name, sent)
	}
	return s, int(sent), nil
}

// region is the memory of a handle, which lasts as long as the handle is open or
// somebody is inside.
type region struct {
	n       int // elements
	segment *mem.Segment
	lock    *lock.Lock      // in the segment; nil: none
	life    context.Context // ends at close, for those who wait inside
	end     context.CancelFunc
	state   atomic.Int64 // twice the pins, and 1 when it was closed
}

const (
	regionClosed = 1
	regionPin    = 2
)

func newRegion(s *mem.Segment, n int, l *lock.Lock) *region {
	r := &region{n: n, lock: l, segment: s}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

func (r *region) inUse() bool { return r != nil && r.state.Load() != regionClosed }

// pin keeps the memory until unpin. It reports whether the region is open.
//
// For the race detector it puts nothing in order, or of two who write unordered only
// those would be seen who are inside at once.
func (r *region) pin() bool {
	if r == nil {
		return false
	}
	sys.Unseen()
	s := r.state.Load()
	for s&regionClosed == 0 && !r.state.CompareAndSwap(s, s+regionPin) {
		s = r.state.Load()
	}
	sys.Seen()
	if s&regionClosed != 0 {
		return false
	}
	r.segment.Begin()
	return true
}

// unpin reports whether there was a pin.
func (r *region) unpin() bool {
	if r == nil {
		return false
	}
	r.segment.End()
	sys.Unseen()
	s := r.state.Load()
	for s >= regionPin && !r.state.CompareAndSwap(s, s-regionPin) {
		s = r.state.Load()
	}
	sys.Seen()
	if s == regionClosed+regionPin {
		r.segment.Release()
	}
	return s >= regionPin
}

// close gives the memory back, now or with the last pin.
func (r *region) close() error {
	if r == nil {
		return nil
	}
	r.end()
	if r.state.Or(regionClosed) != 0 {
		return nil
	}
	return r.segment.Release()
}
