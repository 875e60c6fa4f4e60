//go:build linux

package sys_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/sys"
)

func TestMemfd(t *testing.T) {
	f, err := sys.Memfd("tandem-test", 8192)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, id, err := sys.CheckMemfd(f, true)
	if err != nil || size != 8192 || id.Ino == 0 {
		t.Errorf("CheckMemfd = %d, %v, %v", size, id, err)
	}
	if err := f.Truncate(4096); err == nil {
		t.Error("it could be shrunk")
	}
	if err := f.Truncate(16384); err == nil {
		t.Error("it could be grown")
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_FUTURE_WRITE); err == nil {
		t.Error("a further seal could be added")
	}
	if flags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
		t.Error("it stays open across exec")
	}
	again, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, other, _ := sys.CheckMemfd(again, true); other != id {
		t.Errorf("a second descriptor has identity %v, want %v", other, id)
	}
}

func TestMemfdRefuses(t *testing.T) {
	for _, size := range []int64{0, -1} {
		if f, err := sys.Memfd("tandem-test", size); err == nil {
			f.Close()
			t.Errorf("Memfd of %d bytes succeeded", size)
		}
	}
	plain, err := os.Create(filepath.Join(t.TempDir(), "plain"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, _, err := sys.CheckMemfd(plain, true); err == nil {
		t.Error("a plain file passed for a memfd")
	}
	fd, err := unix.MemfdCreate("unsealed", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	loose := os.NewFile(uintptr(fd), "loose")
	defer loose.Close()
	if _, _, err := sys.CheckMemfd(loose, true); err == nil {
		t.Error("a memfd that can shrink passed")
	}
}

// TestMemfdEnough asks the rule and not Memfd: if the rule were wrong, Memfd
// would take all memory of the machine that runs the test.
func TestMemfdEnough(t *testing.T) {
	for _, c := range []struct {
		name            string
		size, available int64
		refused         bool
	}{
		{"small", 1 << 20, 1 << 30, false},
		{"seven eighths", 7 << 27, 1 << 30, false},
		{"more", 7<<27 + 1, 1 << 30, true},
		{"all", 1 << 30, 1 << 30, true},
		{"absurd", 1 << 62, 1 << 30, true},
		{"nothing left", 1, 0, true},
	} {
		if err := sys.Enough(c.size, c.available); (err != nil) != c.refused || (err != nil && !errors.Is(err, unix.ENOMEM)) {
			t.Errorf("%s: enough(%d, %d) = %v, want refused: %v", c.name, c.size, c.available, err, c.refused)
		}
	}
	if n, err := sys.AvailableMemory(); err != nil || n < 1<<20 {
		t.Errorf("availableMemory = %d, %v", n, err)
	}
}
