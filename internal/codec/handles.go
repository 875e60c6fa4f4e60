package codec

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"unsafe"
)

// MaxHandles is how many descriptors one value may hold. It is what Linux takes
// in one message with room to spare, and bounds what a worker can make its
// parent hold open.
const MaxHandles = 64

// Handles is the list of descriptors that travel beside the bytes of a value.
// The zero value is an empty list; a nil *Handles is a place where descriptors
// cannot travel: adding to it is an error that is [errors.ErrUnsupported]. It
// is not safe for concurrent use, and must not be copied once used.
//
// On the sending side files are lent: Add keeps the *os.File reachable, the
// owner closes it as always, after the transport has sent what Files lists. On
// the receiving side files are given: Receive takes them over, Take
// hands each to one new owner, Close closes the others.
type Handles struct {
	files []*os.File
	held  uint64 // bit i: files[i] was received and is ours to close
	taken uint64 // bit i: files[i] was received and has a new owner
	store Store  // where large content travels; see Use
	aside int    // bytes that went there
}

// Add lends f to the list and returns its index, which the value's bytes name.
func (h *Handles) Add(f *os.File) (int, error) {
	switch {
	case h == nil:
		return 0, fmt.Errorf("descriptors cannot travel here: %w; use a process pool on this machine, or send the content", errors.ErrUnsupported)
	case f == nil:
		return 0, errors.New("a nil *os.File has no descriptor")
	case len(h.files) == MaxHandles:
		return 0, errTooMany
	}
	h.files = append(h.files, f)
	return len(h.files) - 1, nil
}

var errTooMany = errors.New("more than 64 descriptors in one value; send them in several calls")

// Len is the number of descriptors, those taken included.
func (h *Handles) Len() int {
	if h == nil {
		return 0
	}
	return len(h.files)
}

// Files lists the descriptors in the order of their indices. The slice is the
// list's own: valid until the next Add, Receive or Close, not to be changed.
func (h *Handles) Files() []*os.File {
	if h == nil {
		return nil
	}
	return h.files
}

// Receive adds a descriptor that came with a value, and owns it from now on;
// on an error it has closed f.
func (h *Handles) Receive(f *os.File) error {
	if f == nil {
		return errors.New("a nil *os.File has no descriptor")
	}
	if h == nil {
		f.Close()
		return fmt.Errorf("descriptors cannot travel here: %w", errors.ErrUnsupported)
	}
	if len(h.files) == MaxHandles {
		f.Close()
		return errTooMany
	}
	h.held |= 1 << len(h.files)
	h.files = append(h.files, f)
	return nil
}

// Take gives away the received descriptor i: the caller owns it. Each can be
// taken once. The index comes from the bytes, so any value is allowed, and is
// an error where there is nothing to take.
func (h *Handles) Take(i int) (*os.File, error) {
	if i < 0 || i >= h.Len() {
		return nil, fmt.Errorf("descriptor %d was not sent: %d came with the value", i, h.Len())
	}
	bit := uint64(1) << i
	if h.held&bit == 0 {
		return nil, fmt.Errorf("descriptor %d is not here to be taken, or for the second time", i)
	}
	h.held &^= bit
	h.taken |= bit
	return h.files[i], nil
}

// Close closes what was received and not taken, and empties the list, which can
// be used again. What was added stays its owner's, what was taken too.
func (h *Handles) Close() error {
	if h == nil {
		return nil
	}
	h.aside = 0
	if len(h.files) == 0 {
		return nil
	}
	return h.empty()
}

func (h *Handles) empty() error {
	err := h.closeSet(h.held)
	clear(h.files)
	h.files, h.held, h.taken = h.files[:0], 0, 0
	return err
}

// mark and closeTaken bracket a decoding: when it fails, what it took is in
// nobody's hands.
func (h *Handles) mark() uint64 {
	if h == nil {
		return 0
	}
	return h.taken
}

func (h *Handles) closeTaken(mark uint64) {
	if h != nil {
		h.closeSet(h.taken &^ mark) // an owner that has closed it already is no matter
	}
}

func (h *Handles) closeSet(set uint64) error {
	var errs []error
	for ; set != 0; set &= set - 1 {
		errs = append(errs, h.files[bits.TrailingZeros64(set)].Close())
	}
	return errors.Join(errs...)
}

// fileCoder is a *os.File: 0 for nil, or the index of its descriptor plus one.
type fileCoder struct{}

func (fileCoder) append(dst []byte, p unsafe.Pointer, h *Handles, _ int) ([]byte, error) {
	// SAFETY: p is a *os.File.
	f := *(**os.File)(p)
	if f == nil {
		return append(dst, 0), nil
	}
	i, err := h.Add(f)
	if err != nil {
		return nil, err
	}
	return append(dst, byte(i+1)), nil
}

func (fileCoder) decode(src []byte, p unsafe.Pointer, h *Handles, _ int) (_ []byte, err error) {
	if len(src) < 1 {
		return nil, errShort
	}
	var f *os.File
	if src[0] > 0 {
		if f, err = h.Take(int(src[0]) - 1); err != nil {
			return nil, err
		}
	}
	// SAFETY: p is a *os.File.
	*(**os.File)(p) = f
	return src[1:], nil
}

func (fileCoder) measure(unsafe.Pointer) (int, bool) { return 1, true }
