//go:build linux

package drive

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// All children are the program itself, started once more with a mode.

const modeVariable = "TANDEM_BENCH_CHILD"

// Mode is what this process was started to be, "" for the program itself. Its
// own children do not see it.
func Mode() string {
	mode := os.Getenv(modeVariable)
	os.Unsetenv(modeVariable)
	return mode
}

// Child is a command for this program in a mode, with files from descriptor 3 up.
func Child(mode string, files ...*os.File) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), modeVariable+"="+mode)
	cmd.ExtraFiles = files
	return cmd
}

// Pair starts a child whose descriptor 3 is the other end of a socket pair. ours
// works with the runtime's poller, as a server's connections do.
func Pair(mode string) (ours *os.File, cmd *exec.Cmd, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	syscall.SetNonblock(fds[0], true)
	ours, theirs := os.NewFile(uintptr(fds[0]), mode), os.NewFile(uintptr(fds[1]), mode)
	defer theirs.Close()
	cmd = Child(mode, theirs)
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, nil, err
	}
	return ours, cmd, nil
}

// ModeByte is the mode of a child that does nothing but WriteByte.
const ModeByte = "byte"

// WriteByte writes one byte to descriptor 3, as the first thing that main does.
func WriteByte() { syscall.Write(3, []byte{1}) }

// StartBare starts this program by os/exec alone: to its first byte, to its end.
func StartBare() (first, join int64, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	cmd := Child(ModeByte, w)
	begin := time.Now()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return 0, 0, err
	}
	_, err = io.ReadFull(r, make([]byte, 1))
	first = int64(time.Since(begin))
	if err := cmd.Wait(); err != nil {
		return 0, 0, err
	}
	return first, int64(time.Since(begin)), err
}
