//go:build !linux

package sys

import (
	"errors"
	"fmt"
)

// PacketPair is not offered on this system.
func PacketPair() (a, b int, err error) {
	return -1, -1, fmt.Errorf("tandem: sockets that keep the borders of messages: %w", errors.ErrUnsupported)
}
