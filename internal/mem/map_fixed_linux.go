//go:build !race || (!amd64 && !arm64)

package mem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapFixed(fd int, b []byte, prot, flags int) error {
	// SAFETY: see mapOver.
	_, err := unix.MmapPtr(fd, 0, unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)), prot, flags|unix.MAP_FIXED)
	return err
}
