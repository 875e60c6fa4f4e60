package process_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// surroundings are what a process starts with.
type surroundings struct {
	Args, Env   []string
	Dir         string
	ChildEnv    string // what a program that the task starts sees
	Stdin       string
	Extra       string
	Descriptors []string
}

var lookAround = tandem.NewTask("lookAround", func(_ context.Context, extra bool) (s surroundings, err error) {
	s.Args, s.Env = os.Args, os.Environ()
	if s.Dir, err = os.Getwd(); err != nil {
		return s, err
	}
	in, err := io.ReadAll(os.Stdin)
	if s.Stdin = string(in); err != nil {
		return s, err
	}
	if extra {
		text, err := io.ReadAll(os.NewFile(3, "extra"))
		if s.Extra = string(text); err != nil {
			return s, err
		}
	}
	out, err := exec.Command("env").Output()
	s.ChildEnv = string(out)
	return s, err
})

func TestSurroundings(t *testing.T) {
	leaveNothing(t)
	t.Setenv("TANDEM_TEST_OWN", "mine")
	h, err := process.Start(t.Context(), process.Config{}, lookAround, false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Args, os.Args) {
		t.Errorf("os.Args %q, want this process's %q", got.Args, os.Args)
	}
	here, _ := os.Getwd()
	if got.Dir != here || got.Stdin != "" {
		t.Errorf("folder %q, standard input %q; want %q and nothing", got.Dir, got.Stdin, here)
	}
	env := os.Environ()
	slices.Sort(env)
	slices.Sort(got.Env)
	if !slices.Equal(got.Env, env) {
		t.Errorf("environment\n%q, want this process's\n%q", got.Env, env)
	}
	if strings.Contains(got.ChildEnv, "TANDEM_WORKER") || !strings.Contains(got.ChildEnv, "TANDEM_TEST_OWN=mine") {
		t.Errorf("what the task starts sees\n%s", got.ChildEnv)
	}
}

func TestConfiguredSurroundings(t *testing.T) {
	leaveNothing(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := func(text string) *os.File {
		f, err := os.Create(filepath.Join(dir, text))
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err == nil {
			_, err = f.Seek(0, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	h, err := process.Start(t.Context(), process.Config{
		Env: []string{"A=1", "PATH=" + os.Getenv("PATH")}, Dir: dir, Stdin: file("in"), ExtraFiles: []*os.File{file("extra")},
	}, lookAround, true)
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Dir != dir || got.Stdin != "in" || got.Extra != "extra" || len(got.Env) != 2 || !slices.Contains(got.Env, "A=1") {
		t.Errorf("the process sees %+v", got)
	}
}

var writing = tandem.NewTask("writing", func(_ context.Context, n int) (int, error) {
	out := bufio.NewWriterSize(os.Stdout, 7) // in pieces that are no lines
	for i := range n {
		fmt.Fprintf(out, "%d: line %d of %d\n", os.Getpid(), i, n)
	}
	fmt.Fprint(out, "no newline at the end")
	return n, out.Flush()
})

// lineWriter checks that each Write is one line, and never two at once.
type lineWriter struct {
	mu  sync.Mutex
	bad []string
	all bytes.Buffer
}

func (w *lineWriter) Write(b []byte) (int, error) {
	if !w.mu.TryLock() {
		return 0, errors.New("two at once")
	}
	defer w.mu.Unlock()
	if bytes.IndexByte(b, '\n') != len(b)-1 && !bytes.HasPrefix(b, []byte("no newline")) {
		w.bad = append(w.bad, string(b))
	}
	return w.all.Write(b)
}

// TestOutputLines: lines of several workers do not mix, and a Writer need not be
// safe for concurrent use.
func TestOutputLines(t *testing.T) {
	leaveNothing(t)
	var out lineWriter
	pool := &process.Pool{Workers: 3, Config: process.Config{Stdout: &out, Stderr: &out}}
	if _, err := writing.On(pool).All(t.Context(), []int{200, 200, 200, 200}); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	// A worker's next output follows its last line's beginning, another's never does.
	if got := strings.Count(out.all.String(), ": line "); got != 800 || len(out.bad) > 0 {
		t.Errorf("%d lines, want 800; of which broken: %q", got, out.bad)
	}
	if n := strings.Count(out.all.String(), "no newline at the end"); n != 4 {
		t.Errorf("%d last lines without an end, want 4", n)
	}
}

var complaining = tandem.NewTask("complaining", func(_ context.Context, lines int) (int, error) {
	fmt.Fprint(os.Stderr, strings.Repeat("x", 200_000), "\n") // longer than any line that is kept
	for i := range lines {
		fmt.Fprintf(os.Stderr, "complaint %d\n", i)
	}
	os.Exit(5)
	return 0, nil
})

// TestStderr: it is relayed, and its last lines are in the error.
func TestStderr(t *testing.T) {
	leaveNothing(t)
	var out lineWriter
	h, err := process.Start(t.Context(), process.Config{Stderr: &out}, complaining, 100)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Wait(t.Context())
	var crash *tandem.CrashError
	if !errors.As(err, &crash) || len(crash.Stderr) != 20 || crash.Stderr[0] != "complaint 80" || crash.Stderr[19] != "complaint 99" {
		t.Fatalf("got %v with the last lines %q; want 20 of them, complaints 80 to 99", err, crash.Stderr)
	}
	if !strings.HasPrefix(out.all.String(), "xxxx") || !strings.HasSuffix(out.all.String(), "complaint 98\ncomplaint 99\n") {
		t.Errorf("relayed: %d bytes", out.all.Len())
	}
}

// escaping starts a program that leaves the process group and writes to its
// standard error for ever.
var escaping = tandem.NewTask("escaping", func(context.Context, int) (int, error) {
	cmd := exec.Command("setsid", "sh", "-c", "while echo still here >&2; do sleep 0.02; done")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
})

// TestOutputNeverEnds: a descendant that got away does not hold its parent up.
func TestOutputNeverEnds(t *testing.T) {
	leaveNothing(t)
	h, err := process.Start(t.Context(), process.Config{Stderr: io.Discard}, escaping, 0)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := h.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if code, ended := h.Process.ExitCode(); code != 0 || !ended {
		t.Errorf("exit code %d, ended %v", code, ended)
	}
	// With nobody to read, its next line ends it.
	eventually(t, "the program that got away has ended", func() bool { s, ok := statOf(pid); return !ok || !s.runs() })
}
