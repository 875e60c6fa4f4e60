package slab

import (
	"math/bits"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/sys"
)

const (
	releasedAt = mem.HeaderSize // a word, 0 while the content is wanted
	contentAt  = 4096           // a page border, for the sake of whoever copies pages
	smallest   = 256 << 10
)

// idleTime is after how long without use a segment is dropped, at the least; twice
// that at the most.
const idleTime = 5 * time.Second

// Pool is the segments of a side that fills them. NewPool makes it. It is safe for
// concurrent use. No timer runs while it has no segment.
type Pool struct {
	kind mem.Kind
	most int64
	idle time.Duration

	mu        sync.Mutex
	free      []*slab // the last used last: its memory is warm
	forwarded []*slab
	total     int64 // bytes of all segments, those lent too
	timer     *time.Timer
	closed    bool
}

// slab is one segment.
type slab struct {
	segment *mem.Segment
	file    *os.File // what the receiver gets
	size    int      // of the content
	resting bool     // it was idle when the timer looked
}

// NewPool makes a pool of segments that hold arguments or results, at most so many
// bytes; 0 means a quarter of the machine's memory.
func NewPool(kind mem.Kind, most int64) *Pool {
	if most <= 0 {
		most = sys.PhysicalMemory() / 4
	}
	return &Pool{kind: kind, most: most, idle: idleTime}
}

// lend gives a segment with room for n bytes, or nil if there can be none now.
func (p *Pool) lend(n int) *slab {
	p.mu.Lock()
	p.collect()
	best := -1
	for i, s := range p.free {
		// One that is far too large is spared for whoever needs it.
		if s.size >= n && s.size/8 <= n && (best < 0 || s.size <= p.free[best].size) {
			best = i
		}
	}
	if best >= 0 {
		s := p.free[best]
		p.free = slices.Delete(p.free, best, best+1)
		p.mu.Unlock()
		s.resting = false
		return s
	}
	size := round(n)
	for p.total+int64(size) > p.most && len(p.free) > 0 {
		p.drop(p.free[0])
		p.free = slices.Delete(p.free, 0, 1)
	}
	if p.closed || p.total+int64(size) > p.most {
		p.mu.Unlock()
		return nil
	}
	p.total += int64(size)
	p.mu.Unlock()
	s, err := p.create(size) // outside the lock: the kernel clears the memory
	if err != nil {
		p.mu.Lock()
		p.total -= int64(size)
		p.mu.Unlock()
		return nil // there is another way, and it may have the room
	}
	return s
}

// round is the size of the segment for n bytes: a power of two, or a step of a
// quarter between two.
func round(n int) int {
	if n <= smallest {
		return smallest
	}
	step := 1 << (bits.Len(uint(n-1)) - 3)
	return (n + step - 1) / step * step
}

func (p *Pool) create(size int) (*slab, error) {
	segment, err := mem.Create(p.kind, 0, contentAt-mem.HeaderSize+size)
	if err != nil {
		return nil, err
	}
	s := &slab{segment: segment, size: size, file: segment.File()}
	if p.kind == mem.KindArgument {
		if s.file, err = segment.Reader(); err != nil {
			segment.Release()
			return nil, err
		}
	}
	return s, nil
}

// content is the bytes for the user.
func (s *slab) content() []byte { return s.segment.Bytes(contentAt, s.size) }

// give takes back what was lent. If it was forwarded, the receiver says when it can
// be used again.
func (p *Pool) give(lent []*slab, forwarded bool) {
	if len(lent) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		for _, s := range lent {
			p.drop(s)
		}
		return
	case forwarded:
		p.forwarded = append(p.forwarded, lent...)
	default:
		p.free = append(p.free, lent...)
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(p.idle, p.sweep)
	}
}

// collect finds the forwarded segments that were released. The lock is held.
func (p *Pool) collect() {
	p.forwarded = slices.DeleteFunc(p.forwarded, func(s *slab) bool {
		word := s.segment.Long(releasedAt)
		if atomic.LoadUint64(word) == 0 {
			return false
		}
		atomic.StoreUint64(word, 0)
		p.free = append(p.free, s)
		return true
	})
}

// sweep drops what has been idle since it last came.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.collect()
	p.free = slices.DeleteFunc(p.free, func(s *slab) bool {
		if s.resting {
			p.drop(s)
			return true
		}
		s.resting = true
		return false
	})
	p.timer = nil
	if !p.closed && len(p.free)+len(p.forwarded) > 0 {
		p.timer = time.AfterFunc(p.idle, p.sweep)
	}
}

// drop ends a segment. The lock is held.
func (p *Pool) drop(s *slab) {
	p.total -= int64(s.size)
	s.segment.Discard() // for those who have it mapped; its descriptors go anyway
	if s.file != s.segment.File() {
		s.file.Close()
	}
	s.segment.Release()
}

// Close drops what is idle and forwarded, and what is lent when it comes back.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range append(p.free, p.forwarded...) {
		p.drop(s)
	}
	p.free, p.forwarded = nil, nil
	if p.timer != nil {
		p.timer.Stop()
	}
}
