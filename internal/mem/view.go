package mem

import (
	"fmt"
	"os"
	"unsafe"
)

// View is a range of mapped memory, seen as words. Offsets are the program's own,
// never a peer's: one that is out of range or not aligned panics.
type View struct{ data []byte }

// Len is the number of bytes.
func (v View) Len() int { return len(v.data) }

// Word is the 32-bit word at off.
func (v View) Word(off int) *uint32 { return At[uint32](v, off) }

// Long is the 64-bit word at off.
func (v View) Long(off int) *uint64 { return At[uint64](v, off) }

// Bytes are the n bytes from off on. They are memory like any other as long as the
// segment is not released.
func (v View) Bytes(off, n int) []byte { return v.data[off : off+n : off+n] }

// Companion is the private word that belongs to the word at off of the segment's
// first page. It lies CompanionDistance bytes before it.
func (s *Segment) Companion(off int) *uintptr { return At[uintptr](s.room.base, off) }

// CompanionDistance is how far a word lies behind its companion: one page.
func CompanionDistance() uintptr { return uintptr(os.Getpagesize()) }

// At is the T at off. T must hold no pointers: the collector does not look into
// shared memory, and an address means nothing in another process. The pointer is
// valid as long as the segment is reachable.
func At[T any](v View, off int) *T {
	var t T
	size, align := int(unsafe.Sizeof(t)), int(unsafe.Alignof(t))
	if off < 0 || off > len(v.data)-size || off%align != 0 {
		panic(fmt.Sprintf("tandem: internal/mem: %d bytes at offset %d of %d, aligned to %d", size, off, len(v.data), align))
	}
	// SAFETY: the range was just checked, and the mapping begins at a page, so what
	// is aligned in it is aligned in memory. The caller keeps the mapping alive by
	// its Segment, and promises that T holds no pointers.
	return (*T)(unsafe.Pointer(unsafe.SliceData(v.data[off:])))
}

// Slice is the n Ts from off on, under the same conditions.
func Slice[T any](v View, off, n int) []T {
	var t T
	size, align := int(unsafe.Sizeof(t)), int(unsafe.Alignof(t))
	if off < 0 || off > len(v.data) || n < 0 || n > (len(v.data)-off)/max(size, 1) || off%align != 0 {
		panic(fmt.Sprintf("tandem: internal/mem: %d elements of %d bytes at offset %d of %d, aligned to %d", n, size, off, len(v.data), align))
	}
	// SAFETY: as in At; the room for n was just checked.
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(v.data[off:]))), n)
}
