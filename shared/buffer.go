package shared

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/mem"
)

// Buffer is bytes in memory that processes share: what one writes there the others
// see, and nothing is copied. It is made by NewBuffer; the zero Buffer is closed. As
// a field of a task's argument or result, a *Buffer becomes a handle of the same
// bytes on the other side, in the same time whatever their number. It must not be
// copied: pass the pointer.
//
// There is no lock in it. Who may write when is for its users to agree on, and a
// call is agreement enough: what was written before the call is seen by the task,
// and what the task wrote before it returned is seen by whoever got the result.
// Between two who write at once, or write and read, bytes are torn as between
// goroutines, and the race detector does not see it; a [Mutex] in the same argument
// keeps them apart.
//
// Its methods are safe for concurrent use. A handle that is neither closed nor
// pinned is closed when it is collected.
type Buffer struct {
	at      atomic.Pointer[region] // nil: never opened; go vet reports a copied one
	cleanup atomic.Pointer[runtime.Cleanup]
}

// region is the memory of a handle, which lasts as long as the handle is open or
// somebody is inside.
type region struct {
	size int

	mu      sync.Mutex
	segment *mem.Segment // nil: given back
	open    bool
	pins    int
}

// NewBuffer makes n zero bytes of shared memory. They are all there when it returns:
// a lack of memory is an error here and not a crash at first touch. It costs the
// kernel's zeroing, about a third of a second for a GiB, so a Buffer is worth keeping.
func NewBuffer(n int) (*Buffer, error) {
	if n < 0 {
		return nil, fmt.Errorf("tandem: shared.NewBuffer: %d bytes is no size", n)
	}
	s, err := mem.Create(mem.KindBuffer, 0, n)
	if err != nil {
		return nil, err
	}
	b := new(Buffer)
	if err := b.open(s, n); err != nil {
		return nil, err
	}
	return b, nil
}

// open makes b a handle of the n bytes in s, and takes the reference to s.
func (b *Buffer) open(s *mem.Segment, n int) error {
	r := &region{size: n, segment: s, open: true}
	old := b.at.Load()
	if old.inUse() || !b.at.CompareAndSwap(old, r) {
		s.Release()
		return errors.New("tandem: shared.Buffer: a value is decoded into a Buffer that is open or pinned; close it first")
	}
	c := runtime.AddCleanup(b, func(r *region) { r.close() }, r)
	b.cleanup.Store(&c)
	return nil
}

// Len is the number of bytes that NewBuffer was asked for, 0 for the zero Buffer.
func (b *Buffer) Len() int {
	if r := b.at.Load(); r != nil {
		return r.size
	}
	return 0
}

// View calls f with the bytes themselves, and returns its error. They are there
// until f returns, even if the Buffer is closed meanwhile; beyond that f must not
// keep the slice: to touch it then ends the program.
func (b *Buffer) View(f func(p []byte) error) error {
	r := b.at.Load()
	p, err := r.pin()
	if err != nil {
		return err
	}
	defer r.unpin()
	return f(p)
}

// Slice returns the bytes themselves and pins them: they stay until Unpin, whether
// or not the Buffer is closed or collected, and there must be one Unpin for each
// Slice. Where a function can do, View is safer.
func (b *Buffer) Slice() ([]byte, error) { return b.at.Load().pin() }

// Unpin ends what Slice began: the slice must not be touched any more. It panics if
// there are more calls of it than of Slice.
func (b *Buffer) Unpin() {
	r := b.at.Load()
	if r == nil {
		panic("tandem: shared.Buffer: Unpin without Slice")
	}
	r.unpin()
}

// ReadAt copies bytes out of the Buffer; it is an io.ReaderAt.
func (b *Buffer) ReadAt(p []byte, off int64) (n int, err error) {
	return b.copyAt(off, func(at []byte) bool { n = copy(p, at); return n == len(p) }, io.EOF, &n)
}

// WriteAt copies bytes into the Buffer; it is an io.WriterAt. A Buffer does not
// grow: what has no room is not written, and the error is io.ErrShortWrite.
func (b *Buffer) WriteAt(p []byte, off int64) (n int, err error) {
	return b.copyAt(off, func(at []byte) bool { n = copy(at, p); return n == len(p) }, io.ErrShortWrite, &n)
}

func (b *Buffer) copyAt(off int64, all func(at []byte) bool, short error, n *int) (int, error) {
	err := b.View(func(at []byte) error {
		switch {
		case off < 0:
			return fmt.Errorf("tandem: shared.Buffer: offset %d is negative", off)
		case !all(at[min(off, int64(len(at))):]):
			return short
		}
		return nil
	})
	return *n, err
}

// Close gives this handle back; other handles of the bytes, here and in other
// processes, stay. The memory goes with the last of them, and with the last pin. It
// may be called again.
func (b *Buffer) Close() error {
	if c := b.cleanup.Swap(nil); c != nil {
		c.Stop()
	}
	return b.at.Load().close()
}

// AppendHandles and SetHandles let a Buffer travel.
func (b *Buffer) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) {
	r := b.at.Load()
	if _, err := r.pin(); err != nil {
		return dst, err
	}
	defer r.unpin()
	dst, err := appendSegment(dst, h, r.segment)
	if err != nil {
		return dst, err
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(r.size)), nil
}

// SetHandles makes b a handle of the bytes that were sent.
func (b *Buffer) SetHandles(src []byte, h *tandem.Handles) error {
	if len(src) != 1+8 {
		return fmt.Errorf("tandem: shared.Buffer: a handle of %d bytes, want 9", len(src))
	}
	s, err := takeSegment(src[:1], h, mem.KindBuffer, 0)
	if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(src[1:])
	if n > uint64(s.Len()-mem.HeaderSize) {
		s.Release()
		return fmt.Errorf("tandem: shared.Buffer: the segment that came is too small for %d bytes", n)
	}
	return b.open(s, int(n))
}

func (r *region) inUse() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open || r.pins > 0
}

// pin returns the bytes, which stay until unpin.
func (r *region) pin() ([]byte, error) {
	if r == nil {
		return nil, closed("Buffer")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.open {
		return nil, closed("Buffer")
	}
	r.pins++
	return r.segment.Bytes(mem.HeaderSize, r.size), nil
}

func (r *region) unpin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pins == 0 {
		panic("tandem: shared.Buffer: Unpin without Slice")
	}
	r.pins--
	r.settle()
}

func (r *region) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = false
	return r.settle()
}

// settle gives the memory back when nobody needs it. The mutex is held.
func (r *region) settle() error {
	if r.open || r.pins > 0 || r.segment == nil {
		return nil
	}
	s := r.segment
	r.segment = nil
	return s.Release()
}
