package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// Where programs run that nobody looks at: in a container, below a supervisor, with
// descriptors missing or far too many, with their file gone.

// serves makes a program that is prepared, then has a worker answer and die with a
// program that its task has started, has another answer, and leaves by a signal. It
// writes what was wrong, and "well".
func serves(name string, prepare func() error) string {
	return program(name, func() {
		if err := prepare(); err != nil {
			fmt.Println(err)
			return
		}
		pool := &process.Pool{Workers: 1}
		ctx, stop := process.HandleSignals(context.Background(), pool)
		defer stop()
		for range 2 {
			if out, err := double.On(pool).Call(ctx, 21); out != 42 || err != nil {
				fmt.Println(out, err)
			}
			_, err := abandon.On(pool).Call(ctx, struct{}{})
			if crash, ok := errors.AsType[*tandem.CrashError](err); !ok || crash.ExitCode != 3 {
				fmt.Println(err)
			}
		}
		syscall.Kill(os.Getpid(), syscall.SIGINT)
		<-ctx.Done()
		if told, ok := errors.AsType[*process.SignalError](context.Cause(ctx)); !ok || told.ExitCode() != 130 {
			fmt.Println(context.Cause(ctx))
		}
		for end := time.Now().Add(patience); len(childrenOf(os.Getpid())) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				fmt.Println("left over:", describe(childrenOf(os.Getpid())[0]))
				break
			}
		}
		fmt.Println("well")
	})
}

// abandon ends its worker with a program and that program's program still running.
var abandon = tandem.NewTask("abandon", func(ctx context.Context, _ struct{}) (struct{}, error) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo; wait")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = out.Read(make([]byte, 1)) // both are there
	}
	if err == nil {
		os.Exit(3)
	}
	return struct{}{}, err
})

var (
	server       = serves("serves", func() error { return nil })
	firstProcess = serves("serves as the first process", beFirst)
	firstKilled  = program("is killed as the first process", func() {
		if err := beFirst(); err != nil {
			fmt.Println(err)
			return
		}
		process.Signals{
			Deadline: -1, Message: io.Discard,
			Drain: func(context.Context) error { syscall.Kill(os.Getpid(), syscall.SIGTERM); select {} },
		}.Handle(context.Background())
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {}
	})
	crowded  = serves("serves with many descriptors", func() error { return crowd(64) })
	deleted  = serves("serves when its file is deleted", func() error { return os.Remove(os.Args[0]) })
	replaced = serves("serves when its file is replaced", func() error {
		if err := os.Remove(os.Args[0]); err != nil {
			return err
		}
		return os.WriteFile(os.Args[0], []byte("#!/bin/sh\nexit 9\n"), 0o700)
	})
)

func beFirst() error {
	if pid := os.Getpid(); pid != 1 {
		return fmt.Errorf("pid %d", pid)
	}
	return unix.Mount("proc", "/proc", "proc", 0, "")
}

// crowd opens descriptors until only so many are left of what this process may have.
func crowd(left int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max = min(limit.Max, 20_000+uint64(left))
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, (*syscall.Rlimit)(&limit)); err != nil {
		return err
	}
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil || fd+left >= int(limit.Cur) {
			return err
		}
	}
}

// well fails the test unless the program ends well.
func well(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.Output()
	if err != nil || string(out) != "well\n" {
		t.Errorf("the program ended with %v and wrote %q", err, out)
	}
}

// shell is this binary as a program, through a command line in which $0 is it.
func shell(t *testing.T, name, line string) *exec.Cmd {
	t.Helper()
	cmd := command(t, name)
	return &exec.Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", line, cmd.Path}, Env: cmd.Env}
}

func TestStandardStreamsClosed(t *testing.T) {
	for _, closed := range []string{"<&-", "2>&-", "<&- 2>&-"} {
		t.Run(closed, func(t *testing.T) { well(t, shell(t, server, `exec "$0" `+closed)) })
	}
}

// The reader of standard error is gone, perhaps by the same Ctrl-C: the line that says
// what happens cannot be written, and ends nothing.
func TestStandardErrorBroken(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := command(t, server)
	cmd.Stderr = w
	well(t, cmd)
}

func TestManyDescriptors(t *testing.T) { well(t, command(t, crowded)) }

// TestFileGone: workers are the program that runs, whatever its file has become.
func TestFileGone(t *testing.T) {
	for _, name := range []string{deleted, replaced} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, name)
			copied := filepath.Join(t.TempDir(), "program")
			copyFile(t, copied, cmd.Path)
			cmd.Path, cmd.Args = copied, []string{copied}
			well(t, cmd)
		})
	}
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	r, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err == nil {
		_, err = io.Copy(w, r)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFirstProcess: the program is process 1, as in a container. It inherits what its
// workers' tasks leave behind, and reaps it. A second signal, which the kernel keeps
// from process 1 where there is no handler, ends it too.
func TestFirstProcess(t *testing.T) {
	for _, c := range []struct {
		program string
		code    int
		out     string
	}{{firstProcess, 0, "well\n"}, {firstKilled, 143, ""}} {
		t.Run(c.program, func(t *testing.T) {
			cmd := command(t, c.program)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWUSER, Unshareflags: unix.CLONE_NEWNS,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			}
			out, err := cmd.Output()
			if cmd.ProcessState == nil && !noNamespaces(err) {
				t.Fatal(err)
			}
			if cmd.ProcessState == nil || string(out) == unix.EPERM.Error()+"\n" { // of the mount
				t.Skipf("this system makes no process namespace: %v %s", err, out)
			}
			if cmd.ProcessState.ExitCode() != c.code || string(out) != c.out {
				t.Errorf("the program ended with %v and wrote %q, want exit status %d and %q", cmd.ProcessState, out, c.code, c.out)
			}
		})
	}
}

// A supervisor that sends SIGTERM to every process (systemd does, unless KillMode is
// mixed) ends the workers, and with them their calls: nobody hangs, and nobody stays.
func TestEveryoneTerminated(t *testing.T) {
	l := begun(t, finisher)
	for _, s := range append(l.below, stat{pid: l.cmd.Process.Pid}) {
		if err := syscall.Kill(s.pid, syscall.SIGTERM); err != nil && err != syscall.ESRCH { // gone with its worker
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(l.gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.cmd.Wait()
	if got := l.cmd.ProcessState.ExitCode(); got != 143 || !strings.HasSuffix(l.out.String(), "closed true\n") {
		t.Errorf("the program ended with %v and wrote %q", l.cmd.ProcessState, l.out.String())
	}
	l.gone(t)
}

// noNamespaces says that err is how a system refuses to make namespaces.
func noNamespaces(err error) bool {
	for _, refusal := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSYS, unix.ENOSPC} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}
