package sys

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Memfd makes nameless shared memory of a fixed size, as a file. Its memory is
// there when Memfd returns, so that a lack of it is an error here and not a
// SIGBUS at first touch. More than seven eighths of what /proc/meminfo calls
// available is refused before anything is taken: the kernel would not say no, it
// would kill processes until there is room. (The limit of a memory cgroup is not
// looked at.) It is sealed: nobody who has the descriptor can shrink
// it under the others' feet, make it larger, or add further seals. The name is
// for people who look into /proc/PID/fd. The file closes on exec and is the
// caller's.
func Memfd(name string, size int64) (*os.File, error) { return memfd(name, size, true) }

// SparseMemfd is Memfd without taking the memory: what nobody touches costs
// nothing. Each page is found at first touch, as with private memory, so this is
// for a few hundred pages of which most are never used.
func SparseMemfd(name string, size int64) (*os.File, error) { return memfd(name, size, false) }

func memfd(name string, size int64, whole bool) (*os.File, error) {
	if size <= 0 {
		return nil, fmt.Errorf("tandem: memfd %s: size %d must be positive", name, size)
	}
	if whole && size >= looksFirst {
		available, err := availableMemory()
		if err == nil {
			err = enough(size, available)
		}
		if err != nil {
			return nil, fmt.Errorf("tandem: memfd %s: %w", name, err)
		}
	}
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 there is no MFD_NOEXEC_SEAL
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "memfd:"+name)
	if err := settle(fd, size, whole); err != nil {
		f.Close()
		return nil, fmt.Errorf("tandem: memfd %s: %d bytes of shared memory: %w", name, size, err)
	}
	return f, nil
}

// looksFirst is the size from which Memfd reads /proc/meminfo, which costs more
// than a small segment itself.
const looksFirst = 1 << 20

// enough refuses a size that would bring the machine to its end.
func enough(size, available int64) error {
	if size > available-available/8 {
		return fmt.Errorf("%d bytes of shared memory, but the machine has %d available: %w", size, available, unix.ENOMEM)
	}
	return nil
}

// availableMemory is what new allocations can have without swapping, in bytes.
func availableMemory() (int64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("/proc/meminfo has no line MemAvailable")
}

// settle gives a new memfd its size for good, and if whole its memory.
func settle(fd int, size int64, whole bool) error {
	if err := unix.Ftruncate(fd, size); err != nil {
		return os.NewSyscallError("ftruncate", err)
	}
	if whole {
		err := unix.Fallocate(fd, 0, 0, size)
		for err == unix.EINTR { // the runtime's own signals interrupt a long one
			err = unix.Fallocate(fd, 0, 0, size)
		}
		if err != nil {
			return os.NewSyscallError("fallocate", err)
		}
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	return os.NewSyscallError("fcntl", err)
}

// FileID tells files apart, whatever descriptors lead to them.
type FileID struct{ Dev, Ino uint64 }

// CheckMemfd reports the size and identity of a descriptor that came from
// elsewhere, and an error unless it is a memfd that can no longer shrink: mapping
// anything else invites a SIGBUS, which no Go program survives.
func CheckMemfd(f *os.File) (size int64, id FileID, err error) {
	fd := f.Fd()
	seals, err := unix.FcntlInt(fd, unix.F_GET_SEALS, 0)
	if err != nil {
		return 0, id, fmt.Errorf("tandem: %s: not a memfd: %w", f.Name(), err)
	}
	if want := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW; seals&want != want {
		return 0, id, fmt.Errorf("tandem: %s: a memfd whose size is not sealed (seals %#x)", f.Name(), seals)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(fd), &st); err != nil {
		return 0, id, os.NewSyscallError("fstat", err)
	}
	return st.Size, FileID{uint64(st.Dev), st.Ino}, nil
}
