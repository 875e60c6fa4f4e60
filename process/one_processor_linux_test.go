package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// widen waits until its process uses two processors.
var widen = tandem.NewTask("widen", func(context.Context, struct{}) (int, error) {
	for end := time.Now().Add(patience); runtime.GOMAXPROCS(0) < 2 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return runtime.GOMAXPROCS(0), nil
})

// A process with one call that is born with one processor gets its second late: also a
// task that never waits hears that it is to stop, and who writes a map beside another
// is found.
var onOneProcessor = program("starts on one processor", func() {
	fmt.Println("processors:", runtime.GOMAXPROCS(0))
	start := func(limits tandem.Limits) process.Config {
		return process.Config{Limits: limits, Stderr: io.Discard}
	}
	ctx := context.Background()
	if h, err := process.Start(ctx, start(tandem.Limits{}), widen, struct{}{}); err != nil {
		fmt.Println(err)
	} else {
		fmt.Println(h.Wait(ctx))
	}
	if h, err := process.Start(ctx, start(tandem.Limits{Time: 50 * time.Millisecond, Grace: patience}), busy, "listening"); err != nil {
		fmt.Println(err)
	} else {
		_, err := h.Wait(ctx)
		code, _ := h.Process.ExitCode()
		fmt.Println("told:", errors.Is(err, tandem.ErrTimeout), code)
	}
	if h, err := process.Start(ctx, start(tandem.Limits{Time: patience}), perishing, end{How: "concurrent map"}); err != nil {
		fmt.Println(err)
	} else {
		_, err := h.Wait(ctx)
		crash, ok := errors.AsType[*tandem.CrashError](err)
		fmt.Println("found:", ok && crash.ExitCode == 2)
	}
})

func TestOneProcessor(t *testing.T) {
	leaveNothing(t)
	cmd := command(t, onOneProcessor)
	out := pinned(t, cmd)
	if want := "processors: 1\n2 <nil>\ntold: true 1\nfound: true\n"; out != want {
		t.Errorf("the program wrote\n%swant\n%s", out, want)
	}
}

// pinned runs a program on one processor and returns what it writes.
func pinned(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	runtime.LockOSThread() // a program has the processors of the thread that starts it
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	defer unix.SchedSetaffinity(0, &all)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}
