package shared

import (
	"fmt"
	"io"

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
// goroutines; a [Mutex] in the same argument keeps them apart. The race detector sees
// what the goroutines of one process do, and not what two processes do to each other.
//
// Its methods are safe for concurrent use. A handle that is neither closed nor
// pinned is closed when it is collected.
type Buffer struct{ pinned[buffer] }

type buffer struct{}

func (buffer) what() (mem.Kind, string, int) { return mem.KindBuffer, "Buffer", mem.HeaderSize }

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
	if err := b.open(s, n, nil); err != nil {
		return nil, err
	}
	return b, nil
}

// View calls f with the bytes themselves, and returns its error. They are there
// until f returns, even if the Buffer is closed meanwhile; beyond that f must not
// keep the slice: to touch it then ends the program.
func (b *Buffer) View(f func(p []byte) error) error {
	r, err := b.pin()
	if err != nil {
		return err
	}
	defer r.unpin()
	return f(r.bytes())
}

// Slice returns the bytes themselves and pins them: they stay until Unpin, whether
// or not the Buffer is closed or collected, and there must be one Unpin for each
// Slice. Where a function can do, View is safer.
func (b *Buffer) Slice() ([]byte, error) {
	r, err := b.pin()
	if err != nil {
		return nil, err
	}
	return r.bytes(), nil
}

// bytes are those of a pinned region.
func (r *region) bytes() []byte { return r.segment.Bytes(mem.HeaderSize, r.n) }

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

// AppendHandles and SetHandles let a Buffer travel.
func (b *Buffer) AppendHandles(dst []byte, h *tandem.Handles) ([]byte, error) { return b.give(dst, h) }

// SetHandles makes b a handle of the bytes that were sent.
func (b *Buffer) SetHandles(src []byte, h *tandem.Handles) error {
	s, n, err := b.take(src, h, 0, 1)
	if err != nil {
		return err
	}
	return b.open(s, n, nil)
}
