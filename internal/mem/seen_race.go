//go:build linux && race && (amd64 || arm64)

package mem

import (
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

// The race detector looks at the heap only. So in race builds the memory of a kind
// that programs work on without a lock is mapped over a piece of the heap, and the
// detector sees each access to it, atomic ones too.
const canBeSeen = true

// heapRange takes an address range from the heap, which ends with returnRange. It holds
// no pointers, so the collector does not look into it, or move or clear it.
func heapRange(size int) []byte {
	page := os.Getpagesize()
	b := make([]byte, max(size+page, 64<<10)) // one of a span of its own
	// SAFETY: the address is taken as a number, to find the next border of a page.
	off := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	return b[off : off+size : off+size]
}

// lost are ranges that could not be made memory again: better kept than used.
var lost struct {
	sync.Mutex
	ranges [][]byte
}

// returnRange makes the range memory of the heap again, before the collector has it.
func returnRange(b []byte) {
	if mapFixed(-1, b, readWrite, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS) != nil {
		lost.Lock()
		defer lost.Unlock()
		lost.ranges = append(lost.ranges, b)
	}
}

func mapFixed(fd int, b []byte, prot, flags int) error {
	// SAFETY: see mapOver. It is the bare call, since unix.MmapPtr makes a pointer of
	// the address that the kernel returns, of which a race build finds that it does
	// not come from a pointer to the same object.
	_, _, e := unix.Syscall6(unix.SYS_MMAP, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		uintptr(prot), uintptr(flags|unix.MAP_FIXED), uintptr(fd), 0)
	if e != 0 {
		return e
	}
	return nil
}

// lastAt is where race builds note which process used the segment last.
const lastAt = 32

var me = uint32(os.Getpid())

// Begin tells the race detector that what other processes have done to the segment, or
// said by it, comes before what this goroutine does from now on. As long as no other
// process uses the segment it says nothing, since then it is known here what comes
// before what.
func (s *Segment) Begin() {
	sys.Unseen()
	last := atomic.SwapUint32(s.Word(lastAt), me)
	sys.Seen()
	if last != 0 && last != me {
		sys.FromOthers()
	}
}

// End tells the race detector that what this goroutine has done comes before what other
// processes do to the segment from now on.
func (s *Segment) End() { sys.ToOthers() }
