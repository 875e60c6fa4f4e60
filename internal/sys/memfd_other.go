//go:build !linux

package sys

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// FileID tells files apart, whatever descriptors lead to them.
type FileID struct{ Dev, Ino uint64 }

// Memfd would make nameless shared memory; only Linux can.
func Memfd(name string, size int64) (*os.File, error) {
	return nil, fmt.Errorf("tandem: memfd %s: sealed shared memory needs Linux, this is %s: %w", name, runtime.GOOS, errors.ErrUnsupported)
}

// SparseMemfd would make the same without taking the memory; only Linux can.
func SparseMemfd(name string, size int64) (*os.File, error) { return Memfd(name, size) }

// CheckMemfd would check a received descriptor; only Linux has such.
func CheckMemfd(*os.File) (size int64, id FileID, err error) {
	return 0, id, fmt.Errorf("tandem: sealed shared memory needs Linux, this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
