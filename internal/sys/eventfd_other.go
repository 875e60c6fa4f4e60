//go:build !linux

package sys

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func noEventfd() error {
	return fmt.Errorf("tandem: eventfd: it needs Linux, this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// NewEventfd would make a descriptor that wakes a poller; only Linux can.
func NewEventfd() (*os.File, error) { return nil, noEventfd() }

// Ring would wake a poller; only Linux can.
func Ring(int) error { return noEventfd() }

// TakeFD would move a descriptor out of a file; there is none.
func TakeFD(f *os.File) (int, error) { f.Close(); return -1, noEventfd() }

// NewAlarm would make what wakes a poller of another process; only Linux can.
func NewAlarm() (near int, far *os.File, err error) { return -1, nil, noEventfd() }

// Sound would wake it.
func Sound(int) {}

// Hush would take what Sound has left.
func Hush(int) {}

// CloseFD would close what TakeFD returned.
func CloseFD(int) error { return noEventfd() }
