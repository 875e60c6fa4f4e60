package sys

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// RobustList is a list of lock words that the kernel goes through when the
// thread that armed it ends, for whatever reason: in each word that holds this
// thread's id it replaces the id by the bit FUTEX_OWNER_DIED, and wakes one
// sleeper if the bit FUTEX_WAITERS is set.
//
// A lock word is known by its node, a word of private memory at a fixed distance
// before it. The node must not lie in the shared memory itself: every process
// chains its own list, and they would overwrite each other's links. The kernel
// follows at most 2048 nodes.
//
// Insert and Remove are for one goroutine at a time. At every instant the list
// in memory is whole, since the kernel may walk it at any.
type RobustList struct {
	head  *robustHead
	nodes []*uintptr // first to last, as linked; only to find predecessors
}

// robustHead is the kernel's struct robust_list_head.
type robustHead struct {
	next    uintptr // first node, or the head itself
	offset  int     // from a node to its lock word
	pending uintptr // a lock in transition; not used: many goroutines share the thread
}

// NewRobustList makes an empty list, whose nodes lie distance bytes before their
// lock words.
func NewRobustList(distance uintptr) (*RobustList, error) {
	// SAFETY: a new private mapping, page-aligned, ours until Disarm. Not the Go
	// heap: the kernel keeps the address, where the collector does not see it.
	p, err := unix.MmapPtr(-1, 0, nil, unsafe.Sizeof(robustHead{}), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	head := (*robustHead)(p) // SAFETY: as above
	head.next = address(&head.next)
	head.offset = int(distance)
	return &RobustList{head: head}, nil
}

// Arm hands the list to the kernel, for the calling thread. The calling
// goroutine must be locked to it. It replaces a list that a C library may have
// armed for this thread, so the thread must be one of our own.
func (l *RobustList) Arm() error {
	// SAFETY: the kernel keeps the address of the head, a mapping that lives until
	// Disarm.
	_, _, errno := unix.RawSyscall(unix.SYS_SET_ROBUST_LIST, uintptr(unsafe.Pointer(l.head)), unsafe.Sizeof(*l.head), 0)
	if errno != 0 {
		return fmt.Errorf("tandem: robust list: %w", os.NewSyscallError("set_robust_list", errno))
	}
	return nil
}

// Disarm takes the list back from the kernel, on the thread that armed it, and
// frees it.
func (l *RobustList) Disarm() {
	unix.RawSyscall(unix.SYS_SET_ROBUST_LIST, 0, unsafe.Sizeof(*l.head), 0)
	// SAFETY: the mapping is ours, and the kernel has just forgotten it.
	unix.MunmapPtr(unsafe.Pointer(l.head), unsafe.Sizeof(*l.head))
	l.head = nil
}

// Insert links the lock word that lies at the list's distance behind node.
func (l *RobustList) Insert(node *uintptr) {
	atomic.StoreUintptr(node, l.head.next)
	atomic.StoreUintptr(&l.head.next, address(node)) // from here on it counts
	l.nodes = slices.Insert(l.nodes, 0, node)
}

// Remove unlinks node. Its memory must stay readable: a walk that is under way
// may still stand on it.
func (l *RobustList) Remove(node *uintptr) {
	i := slices.Index(l.nodes, node)
	if i < 0 {
		return
	}
	before := &l.head.next
	if i > 0 {
		before = l.nodes[i-1]
	}
	atomic.StoreUintptr(before, *node)
	l.nodes = slices.Delete(l.nodes, i, i+1)
}

// address is the number the kernel knows a word by.
//
// SAFETY: only for words in mappings, which stay where they are.
func address(p *uintptr) uintptr { return uintptr(unsafe.Pointer(p)) }
