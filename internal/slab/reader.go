package slab

import (
	"encoding/binary"
	"os"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/mem"
)

// kept is how many segments of its peer a Reader keeps mapped. Mapping one again
// costs a fault for every 16 pages.
const kept = 16

// Reader is the segments of one peer, as they are seen from here. Kind must be set.
// It is safe for concurrent use.
type Reader struct {
	Kind mem.Kind

	mu     sync.Mutex
	mapped []*mem.Segment // the last used last
	closed bool
}

// open maps the segment behind f, which it takes; done must follow.
func (r *Reader) open(f *os.File) (*mem.Segment, error) {
	s, err := mem.Open(f, r.Kind, 0)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.mapped, s); i >= 0 {
		r.mapped = append(slices.Delete(r.mapped, i, i+1), s)
		return s, nil
	}
	if r.closed {
		return s, nil
	}
	s.Retain()
	r.mapped = append(r.mapped, s)
	if len(r.mapped) > kept {
		r.mapped[0].Release()
		r.mapped = slices.Delete(r.mapped, 0, 1)
	}
	return s, nil
}

// done gives a segment back and tells its owner, if that waits for it.
func (r *Reader) done(s *mem.Segment) {
	if r.Kind == mem.KindResult {
		// By a system call and not through the mapping: what a worker owns is mapped
		// for reading only. If it fails, the worker has one segment less.
		s.File().WriteAt(binary.NativeEndian.AppendUint64(nil, 1), releasedAt)
	}
	s.Release()
}

// Close gives back what is mapped.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, s := range r.mapped {
		s.Release()
	}
	r.mapped = nil
}
