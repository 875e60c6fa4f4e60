package process_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// This binary plays three parts: the tests, their workers, and the programs that
// tests start in order to kill them.
func TestMain(m *testing.M) {
	misbehave("before Init")
	tandem.Init()
	if main := programs[os.Getenv(programEnv)]; main != nil {
		main()
		os.Exit(0)
	}
	warmUp()
	os.Exit(m.Run())
}

// warmUp lets the runtime make what it makes once (the poller's descriptors, the
// starter thread, the goroutine of os/signal), so that leaveNothing can be exact.
func warmUp() {
	_, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	stop()
	pool := &process.Pool{Workers: 1}
	_, err := double.On(pool).Call(context.Background(), 1)
	if err := pool.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "warm-up:", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "warm-up:", err)
	}
}

var double = tandem.NewTask("double", func(ctx context.Context, n int) (int, error) { return 2 * n, nil })

const (
	programEnv   = "TANDEM_TEST_PROGRAM"
	misbehaveEnv = "TANDEM_TEST_MISBEHAVE"
)

// programs are what this binary can be besides a test and a worker.
var programs = map[string]func(){}

// program declares one; call it for a package-level variable. It runs behind Init,
// and ends with status 0 when it returns.
func program(name string, main func()) string {
	programs[name] = main
	return name
}

// command is this binary as a program.
func command(t *testing.T, program string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(self(t))
	cmd.Env = append(os.Environ(), programEnv+"="+program)
	return cmd
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// misbehaviours are what a process can do where it should not, by the value of
// misbehaveEnv, which is "<where>: <what>".
var misbehaviours = map[string]func(){
	"exit":  func() { fmt.Fprintln(os.Stderr, "flag provided but not defined"); os.Exit(7) },
	"hang":  func() { fmt.Fprintln(os.Stderr, "waiting for the database"); time.Sleep(time.Hour) },
	"panic": func() { panic("no configuration") },
}

func misbehave(where string) {
	if what, ok := strings.CutPrefix(os.Getenv(misbehaveEnv), where+": "); ok {
		misbehaviours[what]()
	}
}

// misbehaving is the Env of a worker that does what where.
func misbehaving(where, what string) []string {
	return append(os.Environ(), misbehaveEnv+"="+where+": "+what)
}

// patience is how long a condition is waited for. Nothing needs nearly as much; a
// busy machine may.
const patience = 30 * time.Second

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not true after %v: %s", patience, what)
		}
	}
}

// kill ends a process from outside.
func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Errorf("kill -9 %d: %v", pid, err)
	}
}

// closing closes a pool at the end of the test and reports what Close says.
func closing(t *testing.T, c io.Closer) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
