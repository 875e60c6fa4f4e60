package process_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// opening opens so many files, and answers with the limit of a program it then starts.
var opening = tandem.NewTask("opening", func(ctx context.Context, n int) (int, error) {
	for range n {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return 0, err
		}
		defer f.Close()
	}
	out, err := exec.Command("sh", "-c", "ulimit -H -n").Output()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
})

// TestOpenFiles: a task that opens too many files gets EMFILE, and neither its worker
// nor this process has less than before.
func TestOpenFiles(t *testing.T) {
	leaveNothing(t)
	var before, after syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before)
	pool := &process.Pool{Workers: 1, Config: process.Config{OpenFiles: 64}}
	closing(t, pool)
	for range 3 {
		if _, err := opening.On(pool).Call(t.Context(), 64); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("64 of 64 files: %v, want EMFILE", err)
		}
		if limit, err := opening.On(pool).Call(t.Context(), 32); limit != 64 || err != nil {
			t.Errorf("32 of 64 files: a program that the task starts may have %d, %v; want 64", limit, err)
		}
	}
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &after)
	if st := pool.Stats(); st.Started != 1 || before != after {
		t.Errorf("%d workers, want 1; this process may have %v files, before %v", st.Started, after, before)
	}
}

func TestOpenFilesRefused(t *testing.T) {
	for _, c := range []struct {
		files int
		says  string
	}{{-1, "negative"}, {63, "use at least 64"}, {1 << 30, "more than this process may have"}} {
		pool := &process.Pool{Workers: 1, Config: process.Config{OpenFiles: c.files}}
		closing(t, pool)
		if err := pool.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("OpenFiles %d: %v, want an error that says %q", c.files, err, c.says)
		}
	}
}
