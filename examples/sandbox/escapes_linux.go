package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	byLandlock     = "landlock"
	byScope        = "landlock scope"
	bySeccomp      = "seccomp"
	byCapabilities = "no capabilities"
)

var escapes = []escape{
	{name: "read a file outside", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		return read(filepath.Join(t.Outside, "secret"))
	}},
	{name: "write a file outside", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		return "a file", os.WriteFile(filepath.Join(t.Outside, "new"), []byte("x"), 0o600)
	}},
	{name: "move a file out", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		return "a file", os.Rename(filepath.Join(t.Inside, "own"), filepath.Join(t.Outside, "moved"))
	}},
	{name: "hard-link a file out", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		return "a link", os.Link(filepath.Join(t.Inside, "own"), filepath.Join(t.Outside, "link"))
	}},
	{name: "hard-link the secret in", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		link := filepath.Join(t.Inside, "hard")
		if err := os.Link(filepath.Join(t.Outside, "secret"), link); err != nil {
			return "", err
		}
		return read(link)
	}},
	{name: "follow a symbolic link out", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		link := filepath.Join(t.Inside, "soft")
		if err := os.Symlink(filepath.Join(t.Outside, "secret"), link); err != nil {
			return "", err
		}
		return read(link)
	}},
	{name: "connect to a server", by: bySeccomp, try: func(ctx context.Context, t target) (string, error) {
		return dial(ctx, "tcp", t.Address)
	}},
	{name: "connect to a Unix socket", by: bySeccomp, try: func(ctx context.Context, t target) (string, error) {
		return dial(ctx, "unix", filepath.Join(t.Outside, "socket"))
	}},
	{name: "listen for others", by: bySeccomp, try: func(context.Context, target) (string, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		return "a listener", l.Close()
	}},
	{name: "go round by io_uring", by: bySeccomp, try: func(context.Context, target) (string, error) {
		if _, _, err := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); err != unix.EFAULT {
			return "", err
		}
		return "all but the address", nil
	}},
	{name: "execute a shell", by: bySeccomp, try: func(context.Context, target) (string, error) {
		return "a shell", exec.Command("/bin/sh", "-c", "exit 0").Run()
	}},
	{name: "fork without end", by: bySeccomp, try: forkBomb},
	{name: "trace the parent", by: bySeccomp, try: func(_ context.Context, t target) (string, error) {
		runtime.LockOSThread() // whose end lets the parent go
		return "a tracer's place", unix.PtraceSeize(t.Parent)
	}},
	{name: "read the parent's memory", by: bySeccomp, try: func(_ context.Context, t target) (string, error) {
		b := make([]byte, 8)
		there := []unix.RemoteIovec{{Base: 0x1000, Len: len(b)}}
		here := []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}
		if _, err := unix.ProcessVMReadv(t.Parent, here, there, 0); !errors.Is(err, unix.EFAULT) {
			return "", err
		}
		return "all but the address", nil
	}},
	{name: "open the parent's memory", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", t.Parent), os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		return "a descriptor", f.Close()
	}},
	{name: "read the parent's environment", by: byLandlock, try: func(_ context.Context, t target) (string, error) {
		_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", t.Parent))
		return "all variables", err
	}},
	{name: "lower the parent's limits", by: bySeccomp, try: func(_ context.Context, t target) (string, error) {
		var old unix.Rlimit
		err := unix.Prlimit(t.Parent, unix.RLIMIT_CORE, nil, &old)
		if err == nil && t.Earnest {
			err = unix.Prlimit(t.Parent, unix.RLIMIT_DATA, &unix.Rlimit{}, nil)
		}
		return "limits", err
	}},
	{name: "kill the parent", by: byScope, try: func(_ context.Context, t target) (string, error) {
		return "the parent", unix.Kill(t.Parent, t.kill())
	}},
	{name: "kill the other workers", by: byScope, inside: true, try: func(_ context.Context, t target) (string, error) {
		for _, pid := range t.Workers {
			if pid != os.Getpid() {
				if err := unix.Kill(pid, t.kill()); err != nil {
					return "", err
				}
			}
		}
		return "the workers", nil
	}},
	{name: "raise its own limits", by: byCapabilities, try: func(context.Context, target) (string, error) {
		return "more descriptors", syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 2 * openFiles, Max: 2 * openFiles})
	}},
	{name: "change the clock", by: bySeccomp, try: func(context.Context, target) (string, error) {
		var t unix.Timex // reads, and needs no right for that
		_, err := unix.Adjtimex(&t)
		return "the clock", err
	}},
	{name: "mount a file system", by: bySeccomp, try: func(_ context.Context, t target) (string, error) {
		if err := unix.Mount("none", t.Inside, "tmpfs", 0, ""); err != nil {
			return "", err
		}
		return "a mount", unix.Unmount(t.Inside, 0)
	}},
	{name: "make a namespace", by: bySeccomp, try: func(context.Context, target) (string, error) {
		runtime.LockOSThread() // and ends it with the task
		return "a namespace", unix.Unshare(unix.CLONE_NEWNS)
	}},
	{name: "load a key", by: bySeccomp, try: func(context.Context, target) (string, error) {
		_, err := unix.AddKey("user", "sandbox-example", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING)
		return "a key", err
	}},
	{name: "scribble over its ring", by: "parent's checks", inside: true, ends: true, try: scribble},
	{name: "flood its output", by: "relay, limit", inside: true, ends: true, try: func(context.Context, target) (string, error) {
		for long := strings.Repeat("x", 1<<20); ; {
			os.Stderr.WriteString(long) // a line that never ends
		}
	}},
	{name: "never stop", by: "limit, SIGKILL", inside: true, ends: true, try: func(context.Context, target) (string, error) {
		for {
		}
	}},
}

// kill is the signal: in earnest the one that cannot be refused by its receiver.
func (t target) kill() unix.Signal {
	if t.Earnest {
		return unix.SIGKILL
	}
	return 0
}

func read(path string) (string, error) {
	text, err := os.ReadFile(path)
	return string(text), err
}

func dial(ctx context.Context, network, address string) (string, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return "", err
	}
	return "a connection", c.Close()
}

// forkBomb is one that stops at 32, and clears up.
func forkBomb(context.Context, target) (got string, err error) {
	var all []*exec.Cmd
	for range 32 {
		cmd := exec.Command("/bin/sleep", "60")
		if err = cmd.Start(); err != nil {
			break
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		cmd.Process.Kill()
		cmd.Wait()
	}
	if len(all) > 0 {
		return fmt.Sprintf("%d processes", len(all)), nil
	}
	return "", err
}

// scribble writes over all memory that its process shares with others, and goes on
// with it for as long as the process lives.
func scribble(context.Context, target) (string, error) {
	var rings []int
	for fd := range openFiles {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err == nil {
			rings = append(rings, fd)
		}
	}
	if len(rings) == 0 {
		return "", errors.New("found none")
	}
	garbage := make([]byte, 64<<10)
	for i := range garbage {
		garbage[i] = byte(i * 167)
	}
	once := func() {
		for _, fd := range rings {
			for at := int64(0); ; at += int64(len(garbage)) {
				if n, err := unix.Pwrite(fd, garbage, at); err != nil || n < len(garbage) {
					break
				}
			}
		}
	}
	once()
	go func() {
		for {
			once()
		}
	}()
	return "", nil
}
