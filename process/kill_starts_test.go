package process_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// starts is a count that outlives workers: each start of a task appends one line,
// its pid and a number, to a file that was opened for appending.
type starts struct {
	t    *testing.T
	file *os.File
}

func newStarts(t *testing.T) *starts {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "starts"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &starts{t, f}
}

// noteStart is called by tasks. One write of a short line is not torn.
func noteStart(f *os.File, number int) error {
	_, err := f.WriteString(fmt.Sprintf("%d %d\n", os.Getpid(), number))
	return err
}

// noteStartAt is noteStart for hooks, whose arguments hold no files.
func noteStartAt(path string, number int) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return noteStart(f, number)
}

// startsIn counts the lines of a file.
func startsIn(path string) (n int, err error) {
	b, err := os.ReadFile(path)
	return bytes.Count(b, []byte("\n")), err
}

// start is one line.
type start struct{ pid, number int }

func (s *starts) all() (all []start) {
	s.t.Helper()
	b, err := os.ReadFile(s.file.Name())
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var one start
		if _, err := fmt.Sscanf(line, "%d %d\n", &one.pid, &one.number); err != nil {
			s.t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// await waits for the n-th start and returns its pid.
func (s *starts) await(n int) int {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d starts", n), func() bool { return len(s.all()) >= n })
	return s.all()[n-1].pid
}
