package mem

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const readWrite = unix.PROT_READ | unix.PROT_WRITE

// mapRoom maps a private page and directly behind it size bytes of f, where the race
// detector sees it or not.
func mapRoom(f *os.File, size int, write, seen bool) (room, error) {
	prot := unix.PROT_READ
	if write {
		prot = readWrite
	}
	page := os.Getpagesize()
	whole, err := mapRange(page+size, seen)
	if err != nil {
		return room{}, err
	}
	base, seg := whole[:page:page], whole[page:]
	err = mapOver(-1, base, readWrite, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err == nil {
		err = mapOver(int(f.Fd()), seg, prot, unix.MAP_SHARED)
	}
	r := room{base: View{base}, whole: whole, seen: seen}
	if err != nil {
		r.giveBack()
		return room{}, err
	}
	return r, nil
}

// mapRange is a range for a room. One that nobody may touch does not count as data, so
// a large segment can be mapped under a limit on data, too.
func mapRange(size int, seen bool) ([]byte, error) {
	if seen {
		return heapRange(size), nil
	}
	return mapAny(-1, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// giveBack ends the use of the range.
func (r room) giveBack() {
	if r.seen {
		returnRange(r.whole)
	} else {
		unmap(r.whole)
	}
}

// mapShared maps f at an address of the system's choice.
func mapShared(f *os.File, size int) ([]byte, error) {
	return mapAny(int(f.Fd()), size, readWrite, unix.MAP_SHARED)
}

// mapPrivate maps zeroes that belong to this process alone.
func mapPrivate(size int) ([]byte, error) {
	return mapAny(-1, size, readWrite, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func mapAny(fd, size, prot, flags int) ([]byte, error) {
	// SAFETY: a new mapping at an address of the kernel's choice, of exactly size
	// bytes, that lives until unmap or move.
	p, err := unix.MmapPtr(fd, 0, nil, uintptr(size), prot, flags)
	if err != nil {
		return nil, mapError(size, err)
	}
	return unsafe.Slice((*byte)(p), size), nil
}

// mapOver puts a new mapping in the place of b.
func mapOver(fd int, b []byte, prot, flags int) error {
	// SAFETY: b is a part of a range of this package, with page borders on both
	// ends, and nobody uses it yet, or any more.
	if err := mapFixed(fd, b, prot, flags); err != nil {
		return mapError(len(b), err)
	}
	return nil
}

// withdraw takes the memory of b away. Its addresses stay taken, so that nothing
// else can come to lie there.
func withdraw(b []byte) error {
	return mapOver(-1, b, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
}

// move takes the memory of from to the address of to, whose own memory vanishes
// in the same instant. from must not be used any more.
func move(from, to []byte) error {
	// SAFETY: both are whole mappings of this package, of the same length; nobody
	// but the caller knows from, and users of to find memory there at all times.
	_, err := unix.MremapPtr(unsafe.Pointer(unsafe.SliceData(from)), uintptr(len(from)), unsafe.Pointer(unsafe.SliceData(to)), uintptr(len(to)), unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED)
	if err != nil {
		return mapError(len(to), err)
	}
	return nil
}

// unmap gives a mapping back.
func unmap(b []byte) {
	// SAFETY: b is a whole mapping of this package that nobody uses any more.
	if err := unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b))); err != nil {
		panic(fmt.Sprintf("tandem: internal/mem: munmap: %v", err)) // only for arguments that are wrong
	}
}

// duplicate makes a second descriptor that closes on exec.
func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func mapError(size int, err error) error {
	return fmt.Errorf("tandem: shared memory: mapping %d bytes: %w", size, err)
}
