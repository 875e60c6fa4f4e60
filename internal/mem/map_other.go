//go:build !linux

package mem

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// No segment can be made here (sys.Memfd refuses), so nothing of this is reached
// with one.

func unsupported() error {
	return fmt.Errorf("tandem: shared memory needs Linux, this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func mapRoom(*os.File, int, bool, bool) (room, error) { return room{}, unsupported() }
func (room) giveBack()                                {}
func mapShared(*os.File, int) ([]byte, error)         { return nil, unsupported() }
func mapPrivate(int) ([]byte, error)                  { return nil, unsupported() }
func move(from, to []byte) error                      { return unsupported() }
func withdraw([]byte) error                           { return unsupported() }
func unmap([]byte)                                    {}
func duplicate(*os.File) (*os.File, error)            { return nil, unsupported() }
