package process_test

import (
	"bufio"
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

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// strays starts a program that stays, in a session of its own if it is to get away.
var strays = tandem.NewTask("strays", func(_ context.Context, away bool) (struct{}, error) {
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: away}
	return struct{}{}, cmd.Start()
})

// The programs stay with a worker in a sandbox below them, and what its task started.
var (
	keepsGroup     = keeps("keeps a process group in a sandbox", &process.Sandbox{}, false)
	keepsNamespace = keeps("keeps a PID namespace", &process.Sandbox{PIDNamespace: true, UserNamespace: true}, true)
)

func keeps(name string, s *process.Sandbox, away bool) string {
	return program(name, func() {
		pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
		_, err := strays.On(pool).Call(context.Background(), away)
		fmt.Println("ready", err)
		select {}
	})
}

// TestSandboxParentKilled: nothing stays, and out of a PID namespace nothing gets
// away at all.
func TestSandboxParentKilled(t *testing.T) {
	sandboxed(t, &process.Sandbox{PIDNamespace: true, UserNamespace: true})
	leaveNothing(t)
	for _, name := range []string{keepsGroup, keepsNamespace} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, name)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			f := found(t, cmd)
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready <nil>\n" {
				t.Fatalf("%q, %v", line, err)
			}
			f.below = descendants(cmd.Process.Pid)
			if len(f.below) != 3 { // worker, warden, and what the task started
				t.Errorf("%d processes below the program, want 3", len(f.below))
			}
			kill(t, cmd.Process.Pid)
			cmd.Wait()
			f.gone(t)
		})
	}
}

func descendants(pid int) (all []stat) {
	for _, child := range childrenOf(pid) {
		if s, ok := statOf(child); ok {
			all = append(append(all, s), descendants(child)...)
		}
	}
	return all
}

// TestSandboxClose: the end of the pool is the end of all that got away, too.
func TestSandboxClose(t *testing.T) {
	s := &process.Sandbox{PIDNamespace: true, UserNamespace: true}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
	_, err := strays.On(pool).Call(t.Context(), true)
	f := &family{below: descendants(process.Children()[0].PID())}
	if err = errors.Join(err, pool.Close()); err != nil || len(f.below) != 1 {
		t.Errorf("%v, %d processes below the worker, want 1", err, len(f.below))
	}
	f.gone(t)
}

// asNobody is a program without any privilege. It writes what is refused and what is
// in force.
var asNobody = program("sandboxes as nobody", func() {
	for _, s := range []process.Sandbox{
		{NoFiles: true},
		{PIDNamespace: true},
		{PIDNamespace: true, BestEffort: true},
		{PIDNamespace: true, UserNamespace: true},
		{UID: 7, GID: 7},
		{UID: 7, GID: 7, BestEffort: true},
	} {
		pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: &s, Stderr: io.Discard}}
		got, err := attempt.On(pool).Call(context.Background(), deed{What: "signal", PID: os.Getpid()})
		fmt.Println(err == nil, errors.Is(err, errors.ErrUnsupported), strings.Contains(fmt.Sprint(err), "UserNamespace"), got, "|", pool.Stats().Sandbox)
		pool.Close()
	}
})

func TestSandboxUnprivileged(t *testing.T) {
	sandboxed(t, &process.Sandbox{PIDNamespace: true, UserNamespace: true})
	leaveNothing(t)
	cmd := command(t, asNobody)
	if os.Geteuid() == 0 {
		cmd.Path = "/proc/self/exe" // the folder may be closed to others
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
	}
	cmd.Dir, cmd.Stderr = "/", os.Stderr
	out, err := cmd.Output()
	const want = `true false false operation not permitted | no new privileges, landlock, files, system calls
false true true  | 
true false false operation not permitted | no new privileges, landlock, system calls
true false false no such process | no new privileges, landlock, system calls, PID namespace, user namespace
false true false  | 
true false false operation not permitted | no new privileges, landlock, system calls
`
	if err != nil || string(out) != want {
		t.Errorf("%v, it wrote\n%s\nwant\n%s", err, out, want)
	}
}

// TestSandboxFolderGone: what was there when the pool was made is not there any more.
func TestSandboxFolderGone(t *testing.T) {
	folder := t.TempDir()
	s := &process.Sandbox{Write: []string{folder}}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
	closing(t, pool)
	tries(t, pool, deed{What: "write", Path: filepath.Join(folder, "f")}, "")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	kill(t, process.Children()[0].PID())
	eventually(t, "the worker is gone", func() bool { return pool.Stats().Ended == 1 })
	_, err := attempt.On(pool).Call(t.Context(), deed{What: "itself"})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), folder) {
		t.Errorf("a call: %v, want an error that names the folder", err)
	}
}

// sandboxedDeleted has workers in a sandbox when its own file is no more.
var sandboxedDeleted = program("sandboxes when its file is deleted", func() {
	err := os.Remove(os.Args[0])
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: &process.Sandbox{NoFiles: true}}}
	defer pool.Close()
	if err == nil {
		_, err = attempt.On(pool).Call(context.Background(), deed{What: "itself"})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("well")
})

func TestSandboxFileGone(t *testing.T) {
	sandboxed(t, &process.Sandbox{NoFiles: true})
	cmd := command(t, sandboxedDeleted)
	copied := filepath.Join(t.TempDir(), "program")
	copyFile(t, copied, cmd.Path)
	cmd.Path, cmd.Args = copied, []string{copied}
	well(t, cmd)
}

// TestSandboxLimits: what a limit does is the same for the first process of a
// namespace, which no signal of its own can end.
func TestSandboxLimits(t *testing.T) {
	s := &process.Sandbox{PIDNamespace: true, UserNamespace: true}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Time: 50 * time.Millisecond, Grace: -1}, Config: process.Config{Sandbox: s, Stderr: io.Discard}}
	defer pool.Close() // its error is about the worker that is killed
	if _, err := spinningInside.On(pool).Call(t.Context(), struct{}{}); !errors.Is(err, tandem.ErrTimeout) {
		t.Errorf("a task over its time: %v", err)
	}
	h, err := process.Start(t.Context(), process.Config{Sandbox: s, Stderr: io.Discard}, spinningInside, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the task spins", func() bool { return h.Process.Terminate() == os.ErrProcessDone })
	if _, err := h.Wait(t.Context()); err == nil {
		t.Error("a terminated task returned a value")
	}
}

var spinningInside = tandem.NewTask("spinning in a sandbox", func(context.Context, struct{}) (struct{}, error) {
	for {
	}
})
