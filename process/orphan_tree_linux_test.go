package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// A program with a family: workers of a pool, children of its own, grandchildren
// through nested starts, and below each of them a program that its task started
// with os/exec, which knows nothing of tandem. All note their pids, and stay.

const familyEnv = "TANDEM_TEST_FAMILY" // the file of the pids

var member = tandem.NewTask("member", beMember)

func beMember(ctx context.Context, _ struct{}) (struct{}, error) {
	sleep := exec.Command("sleep", "1000")
	err := sleep.Start()
	if err == nil {
		err = enroll(sleep.Process.Pid)
	}
	if err == nil {
		err = enroll(os.Getpid())
	}
	if err != nil {
		return struct{}{}, err
	}
	select {}
}

// head is a member that has a child.
var head = tandem.NewTask("head", func(ctx context.Context, _ struct{}) (struct{}, error) {
	if _, err := process.Start(ctx, process.Config{}, member, struct{}{}); err != nil {
		return struct{}{}, err
	}
	return beMember(ctx, struct{}{})
})

func enroll(pid int) error {
	f, err := os.OpenFile(os.Getenv(familyEnv), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%d 0\n", pid)
	return err
}

// familySize: two workers of a pool, two children with a child each, and for each
// of these six a program.
const familySize = 12

func haveFamily() {
	pool := &process.Pool{Workers: 2}
	for range 2 {
		member.On(pool).Go(context.Background(), struct{}{})
		if _, err := process.Start(context.Background(), process.Config{}, head, struct{}{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

var familyProgram = program("family", func() { haveFamily(); select {} })

// family is a running program and the processes below it.
type family struct {
	cmd    *exec.Cmd
	starts *starts
	below  []stat
}

// found starts a program, in a process group of its own, as a shell would.
func found(t *testing.T, cmd *exec.Cmd) *family {
	t.Helper()
	f := &family{cmd: cmd, starts: newStarts(t)}
	cmd.Env = append(cmd.Environ(), familyEnv+"="+f.starts.file.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil { // the test failed before it ended the program
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return f
}

// gather waits until n processes have enrolled.
func (f *family) gather(t *testing.T, n int) {
	t.Helper()
	f.starts.await(n)
	f.below = nil
	for _, one := range f.starts.all() {
		s, ok := statOf(one.pid)
		if !ok {
			t.Fatalf("process %d of the family is gone already", one.pid)
		}
		f.below = append(f.below, s)
	}
}

// gone waits until nobody of the family is left.
func (f *family) gone(t *testing.T) {
	t.Helper()
	for _, s := range f.below {
		eventually(t, "ended with its family: "+describe(s.pid), func() bool { return !s.runs() })
	}
}

func TestParentKilled(t *testing.T) {
	leaveNothing(t)
	for round := range 20 {
		f := found(t, command(t, familyProgram))
		f.gather(t, familySize)
		kill(t, f.cmd.Process.Pid)
		err := f.cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: the program ended with %v, want signal killed", round, err)
		}
		f.gone(t)
	}
}

// The same in the middle of the founding: whoever has enrolled by then goes too.
func TestParentKilledEarly(t *testing.T) {
	leaveNothing(t)
	for n := range familySize {
		f := found(t, command(t, familyProgram))
		f.starts.await(n + 1)
		kill(t, f.cmd.Process.Pid)
		f.cmd.Wait()
		for _, one := range f.starts.all() {
			if s, ok := statOf(one.pid); ok {
				f.below = append(f.below, s)
			}
		}
		t.Logf("killed after %d of %d had enrolled", len(f.starts.all()), familySize)
		f.gone(t)
	}
}

// A worker that is killed takes along what its own workers' tasks have started.
// Nobody else is left to do it but the warden.
func TestWorkerKilledWithFamily(t *testing.T) {
	for _, c := range []struct {
		name   string
		others bool // the program has another worker, so that the warden stays
	}{{"alone", false}, {"beside others", true}} {
		t.Run(c.name, func(t *testing.T) {
			leaveNothing(t)
			if c.others {
				oneWorker(t, tandem.Bound{})
			}
			f := &family{starts: newStarts(t)}
			t.Setenv(familyEnv, f.starts.file.Name())
			h, err := process.Start(t.Context(), process.Config{}, head, struct{}{})
			if err != nil {
				t.Fatal(err)
			}
			f.gather(t, 4)
			kill(t, h.Process.PID())
			_, err = h.Wait(t.Context())
			crashOf(t, err, h.Process.PID())
			f.gone(t)
		})
	}
}
