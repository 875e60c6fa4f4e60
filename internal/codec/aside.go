package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Large is the size from which the content of a slice or a string goes aside, where the
// transport has a way for that: below it, the descriptor that must go along costs
// more than the bytes.
const Large = 64 << 10

// Store is such a way: memory that both sides see, where large content travels
// beside the bytes that Append makes. Without one all content is in the bytes.
type Store interface {
	// Place returns memory for n bytes, which the caller fills before anything else
	// happens, and where it is. The descriptors that lead there are added to h. It
	// returns nil when it has no room.
	Place(h *Handles, n int) (room []byte, at Where)

	// Fetch finds n bytes. The place comes from a peer and may be anything. The other
	// side can change them at any time: they are copied before they are looked at.
	Fetch(h *Handles, at Where, n int) ([]byte, error)
}

// Where is a place in a Store: so far into what the descriptor leads to.
type Where struct {
	Handle int
	Offset uint64
}

// Use lets large content travel by s, nil for none, until the next Use.
func (h *Handles) Use(s Store) { h.store = s }

// Aside is the number of bytes that went aside since the list was empty.
func (h *Handles) Aside() int {
	if h == nil {
		return 0
	}
	return h.aside
}

// How the content of a large slice or string travels, one byte behind its count.
const (
	within = 0
	beside = 1
)

// putAside appends b, or where in the store it is.
func putAside(dst, b []byte, h *Handles) []byte {
	if h != nil && h.store != nil {
		if room, at := h.store.Place(h, len(b)); room != nil {
			parallel(room, b)
			h.aside += len(b)
			dst = append(dst, beside)
			dst = binary.AppendUvarint(dst, uint64(at.Handle))
			return binary.AppendUvarint(dst, at.Offset)
		}
	}
	return append(append(dst, within), b...)
}

// takeAside finds the n bytes that putAside dealt with. They are a peer's to change
// if shared.
func takeAside(src []byte, n int, h *Handles) (b, rest []byte, err error) {
	if len(src) < 1 {
		return nil, nil, errShort
	}
	way, src := src[0], src[1:]
	switch way {
	case within:
		if err := fits(n, 1, src); err != nil {
			return nil, nil, err
		}
		return src[:n], src[n:], nil
	case beside:
		index, k := binary.Uvarint(src)
		if k <= 0 || index >= MaxHandles {
			return nil, nil, errShort
		}
		offset, l := binary.Uvarint(src[k:])
		if l <= 0 {
			return nil, nil, errShort
		}
		if h == nil || h.store == nil {
			return nil, nil, errors.New("content that went aside, where there is no way for it")
		}
		b, err := h.store.Fetch(h, Where{int(index), offset}, n)
		return b, src[k+l:], err
	}
	return nil, nil, fmt.Errorf("%d is no way for content to travel", way)
}

// raw is memory of n bytes that was not cleared: clearing 64 MiB costs as much as
// filling them. append and a make that is followed by copy do not clear either, but
// copy in one goroutine only; a strings.Builder is the standard library's one other
// door.
func raw(n int) []byte {
	var b strings.Builder
	b.Grow(n)
	b.WriteByte(0)
	// SAFETY: the builder has allocated at least n bytes, has handed them to nobody
	// else, and is forgotten; what it has not written is memory without pointers.
	return unsafe.Slice(unsafe.StringData(b.String()), n)
}

// One goroutine copies as fast as one processor can; on two, 64 MiB take 60 % of the
// time. Waking another one is worth it from some MiB on. They take portion by
// portion: whoever has the processor gets on, and the collector, which cannot
// interrupt a copy, need not wait for a long one.
const (
	portion = 512 << 10
	splits  = 4 << 20
)

// parallel copies src to dst, which is as long.
func parallel(dst, src []byte) {
	n := len(src)
	if n < splits {
		copy(dst, src)
		return
	}
	var next atomic.Int64
	work := func() {
		for {
			end := int(next.Add(portion))
			at := end - portion
			if at >= n {
				return
			}
			copy(dst[at:min(end, n)], src[at:])
		}
	}
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n/portion) - 1 {
		all.Go(work)
	}
	work()
	all.Wait()
}
