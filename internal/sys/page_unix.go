//go:build unix && !linux

package sys

import (
	"fmt"
	"os"
)

// NewPageFile returns a nameless file of fixed size for NewPage on both sides of
// a process border: here a temporary file that has lost its name.
func NewPageFile(name string, size int) (*os.File, error) {
	f, err := os.CreateTemp("", name+"-*")
	if err != nil {
		return nil, fmt.Errorf("tandem: page file: %w", err)
	}
	os.Remove(f.Name())
	if err := f.Truncate(int64(size)); err != nil {
		f.Close()
		return nil, fmt.Errorf("tandem: page file: %w", err)
	}
	return f, nil
}
