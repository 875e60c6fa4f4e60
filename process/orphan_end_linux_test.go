package process_test

import (
	"context"
	"log"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// How main can end while tasks run; the return from main itself is a program of
// its own in testdata, since TestMain cannot do it.
var endings = map[string]struct {
	end    func()
	status int
	says   string // on standard error
}{
	"os.Exit":   {func() { os.Exit(3) }, 3, ""},
	"log.Fatal": {func() { log.Fatal("no disk") }, 1, "no disk"},
	"panic":     {func() { panic("what now?") }, 2, "panic: what now?"},
	"panic behind a deferred Close": {func() {
		pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: -1}}
		defer pool.Close()
		member.On(pool).Go(context.Background(), struct{}{})
		eventuallyEnrolled(familySize + 2)
		panic("what now?")
	}, 2, "panic: what now?"},
	"panic in a goroutine": {func() { go panic("what now?"); select {} }, 2, "panic: what now?"},
}

func init() {
	for name, e := range endings {
		program("family, "+name, func() {
			haveFamily()
			eventuallyEnrolled(familySize)
			e.end()
		})
	}
}

// eventuallyEnrolled waits until the family has n members; the test gives up for
// it.
func eventuallyEnrolled(n int) {
	for have := 0; have < n; time.Sleep(time.Millisecond) {
		have, _ = startsIn(os.Getenv(familyEnv))
	}
}

func TestParentEnds(t *testing.T) {
	for name, e := range endings {
		t.Run(name, func(t *testing.T) {
			leaveNothing(t)
			ends(t, command(t, "family, "+name), e.status, e.says)
		})
	}
}

// A program that returns from main.
func TestParentReturns(t *testing.T) {
	leaveNothing(t)
	ends(t, exec.Command(build(t, "returns")), 0, "")
}

// ends runs a program with a family until it ends, and then nobody is left.
func ends(t *testing.T, cmd *exec.Cmd, status int, says string) {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	f := found(t, cmd)
	f.cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != status || !strings.Contains(stderr.String(), says) {
		t.Errorf("exit code %d, want %d; stderr %q, want %q in it", code, status, stderr.String(), says)
	}
	for _, one := range f.starts.all() {
		if s, ok := statOf(one.pid); ok {
			f.below = append(f.below, s)
		}
	}
	f.gone(t)
}
