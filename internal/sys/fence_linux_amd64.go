//go:build !race

package sys

import "golang.org/x/sys/unix"

// Stores of amd64 become visible in the order of the program. The race detector
// knows nothing of that, so race builds do without.
const ordersStores = true

// Commands of membarrier(2), Linux 4.14.
const (
	membarrierPrivate  = 1 << 3
	membarrierRegister = 1 << 4
)

func registerMembarrier() bool {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierRegister, 0, 0)
	return errno == 0
}

func membarrier() { unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierPrivate, 0, 0) }
