//go:build !unix

package sys

import (
	"os"
	"sync/atomic"
)

// Page is not offered on this system.
type Page struct{}

// PageSize is the size of a Page in bytes, PageWords its number of words.
const (
	PageSize  = 4096
	PageWords = PageSize / 8
)

// NewPageFile is not offered on this system.
func NewPageFile(name string, size int) (*os.File, error) { return nil, errNoSockets }

// NewPage is not offered on this system.
func NewPage(f *os.File) (*Page, error) { return nil, errNoSockets }

// Word returns word i.
func (p *Page) Word(i int) *atomic.Uint64 { return new(atomic.Uint64) }

// Close unmaps the page.
func (p *Page) Close() error { return nil }
