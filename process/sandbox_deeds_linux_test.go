package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
)

// deed is what a task tries in a sandbox, with what it needs for it.
type deed struct {
	What string
	Path string
	To   string
	PID  int
	PIDs []int
	FD   int
	File *os.File
}

// deeds are tried in a worker. Each returns nil if it could be done.
var deeds = map[string]func(deed) error{
	"read":    func(d deed) error { _, err := os.ReadFile(d.Path); return err },
	"write":   func(d deed) error { return os.WriteFile(d.Path, []byte("#!/bin/sh\n"), 0o755) },
	"delete":  func(d deed) error { return os.Remove(d.Path) },
	"link":    func(d deed) error { return os.Link(d.Path, d.Path+".link") },
	"rename":  func(d deed) error { return os.Rename(d.Path, d.To) },
	"symlink": func(d deed) error { return os.Symlink(d.Path, d.To) },
	"exec":    func(d deed) error { return exec.Command(d.Path).Run() },
	"socket": func(d deed) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		unix.Close(fd)
		return err
	},
	"listen": func(d deed) error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return err
		}
		return unix.Listen(fd, 1)
	},
	"send": func(d deed) error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9})
	},
	"io_uring": func(d deed) error {
		_, _, e := unix.Syscall(unix.SYS_IO_URING_SETUP, 0, 0, 0)
		return refusal(e)
	},
	"ptrace": func(d deed) error { return unix.PtraceAttach(d.PID) },
	"signal": func(d deed) error { return unix.Kill(d.PID, 0) },
	"siblings": func(d deed) error {
		for _, pid := range d.PIDs {
			if err := unix.Kill(pid, 0); pid != os.Getpid() {
				return err
			}
		}
		return nil
	},
	"itself":  func(d deed) error { return unix.Kill(os.Getpid(), 0) },
	"memory":  func(d deed) error { return opened(fmt.Sprintf("/proc/%d/mem", d.PID)) },
	"environ": func(d deed) error { return opened(fmt.Sprintf("/proc/%d/environ", d.PID)) },
	"limits": func(d deed) error {
		_, _, e := unix.Syscall6(unix.SYS_PRLIMIT64, uintptr(d.PID), unix.RLIMIT_CORE, 0, 0, 0, 0)
		return refusal(e)
	},
	"nice": func(d deed) error { return unix.Setpriority(unix.PRIO_PROCESS, d.PID, 1) },
	"raise": func(d deed) error {
		var r unix.Rlimit
		err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r)
		r.Max++
		return errors.Join(err, syscall.Setrlimit(unix.RLIMIT_NOFILE, (*syscall.Rlimit)(&r)))
	},
	"mount":   func(d deed) error { return unix.Mount("none", d.Path, "tmpfs", 0, "") },
	"unshare": func(d deed) error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"keys": func(d deed) error {
		_, err := unix.AddKey("user", "k", []byte("v"), unix.KEY_SPEC_PROCESS_KEYRING)
		return err
	},
	"type":       func(d deed) error { return unix.IoctlSetPointerInt(0, unix.TIOCSTI, 'x') },
	"device":     func(d deed) error { return unix.Mknod(d.Path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) },
	"own user":   func(d deed) error { return equal(os.Getuid(), d.PID) },
	"own pids":   func(d deed) error { return equal(os.Getpid(), 1) },
	"descriptor": func(d deed) error { _, err := unix.FcntlInt(uintptr(d.FD), unix.F_GETFD, 0); return err },
	"file":       func(d deed) error { _, err := d.File.Read(make([]byte, 1)); return err },
	"capable": func(d deed) error {
		var c [2]unix.CapUserData
		err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &c[0])
		if err == nil && c[0].Effective|c[1].Effective|c[0].Permitted|c[1].Permitted|c[0].Inheritable|c[1].Inheritable == 0 {
			err = errors.New("no capabilities")
		}
		return err
	},
	"thread": func(d deed) error {
		done := make(chan struct{})
		go func() { runtime.LockOSThread(); close(done) }() // and ends it
		<-done
		return nil
	},
	"i386": func(d deed) error {
		_, _, e := unix.Syscall(1<<30|unix.SYS_GETPID, 0, 0, 0)
		return refusal(e)
	},
}

func refusal(e unix.Errno) error {
	if e == unix.EPERM || e == unix.EACCES {
		return e
	}
	return nil
}

func equal(got, want int) error {
	if got != want {
		return fmt.Errorf("%d, want %d", got, want)
	}
	return nil
}

func opened(path string) error {
	f, err := os.Open(path)
	f.Close()
	return err
}

var attempt = tandem.NewTask("attempt", func(_ context.Context, d deed) (string, error) {
	if err := deeds[d.What](d); err != nil {
		return err.Error(), nil
	}
	return "", nil
})
