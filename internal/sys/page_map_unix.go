//go:build unix

package sys

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Page is one page of memory shared by a parent and a worker, seen as 64-bit
// words. What the other side writes there is not trusted.
type Page struct{ mem []byte }

// PageSize is the size of a Page in bytes, PageWords its number of words.
const (
	PageSize  = 4096
	PageWords = PageSize / 8
)

// NewPage maps the first page of f, which may be closed afterwards.
func NewPage(f *os.File) (*Page, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var mem []byte
	var mapErr error
	if err := raw.Control(func(fd uintptr) {
		mem, mapErr = unix.Mmap(int(fd), 0, PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}); err != nil {
		return nil, err
	}
	if mapErr != nil {
		return nil, fmt.Errorf("tandem: mapping a page: %w", mapErr)
	}
	return &Page{mem}, nil
}

// Word returns word i, for atomic use by both sides.
func (p *Page) Word(i int) *atomic.Uint64 {
	_ = p.mem[8*i+7]
	// SAFETY: the mapping is page-aligned, so every eighth byte is aligned for
	// 64 bits; the bound was checked above; the caller keeps p mapped.
	return (*atomic.Uint64)(unsafe.Pointer(&p.mem[8*i]))
}

// Close unmaps the page. No Word may be in use.
func (p *Page) Close() error { return unix.Munmap(p.mem) }
