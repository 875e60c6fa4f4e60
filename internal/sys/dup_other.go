//go:build !unix

package sys

import "os"

// Dup is not offered on this system.
func Dup(f *os.File) (*os.File, error) { return nil, errNoSockets }

// Polled is not offered on this system.
func Polled(f *os.File) (*os.File, error) { return nil, errNoSockets }
