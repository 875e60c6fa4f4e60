package sys

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// PacketPair returns two connected sockets that keep the borders of what is sent,
// both closed on exec.
func PacketPair() (a, b int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("tandem: socketpair: %w", err)
	}
	return fds[0], fds[1], nil
}
