package process_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// forgetful makes a mutex in a worker and does not close it.
var forgetful = tandem.NewTask("forgetful", func(context.Context, int) (int, error) {
	forgotten, err := shared.NewMutex()
	keptOpen = append(keptOpen, forgotten)
	return 0, err
})

// borrows gets a mutex with its argument, which is tandem's to close.
var borrows = tandem.NewTask("borrows", func(_ context.Context, m *shared.Mutex) (int, error) {
	keptOpen = append(keptOpen, m)
	return 0, nil
})

var keptOpen []*shared.Mutex

const leaksEnv = "TANDEM_TEST_LEAKS" // how the program is to end

// tidyProgram opens what leakyProgram does, and closes it.
var tidyProgram = program("tidy", func() {
	pool := &process.Pool{Workers: 1}
	defer pool.Close()
	m := must(shared.NewMutex())
	defer m.Close()
	must(borrows.On(pool).Call(context.Background(), m))
	standby := &process.Standby{}
	defer standby.Close()
	if err := standby.Start(context.Background()); err != nil {
		panic(err)
	}
	for _, c := range []process.Config{{}, {Standby: standby}} {
		h := must(process.Start(context.Background(), c, double, 1))
		must(h.Wait(context.Background()))
	}
})

var leakyProgram = program("leaky", func() {
	for range 2 {
		must(double.On(&process.Pool{Workers: 1, Name: "left"}).Call(context.Background(), 1))
	}
	closed := &process.Pool{Workers: 1, Name: "closed"}
	must(forgetful.On(closed).Call(context.Background(), 1))
	if err := closed.Close(); err != nil {
		panic(err)
	}
	makeGarbage()
	must(process.Start(context.Background(), process.Config{}, member, struct{}{}))
	keptOpen = append(keptOpen, must(shared.NewMutex()))
	switch os.Getenv(leaksEnv) {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("the end")
	}
})

// makeGarbage makes a mutex that nobody has any more, and waits until it is collected.
func makeGarbage() {
	gone := make(chan bool)
	func() {
		m := must(shared.NewMutex())
		runtime.AddCleanup(m, func(gone chan bool) { close(gone) }, gone)
	}()
	for {
		select {
		case <-gone:
			return
		default:
			runtime.GC()
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// leaksOf runs a program to its end, however that is, and returns what it wrote to
// standard error, what is beside it included.
func leaksOf(t *testing.T, program, debug, end string) string {
	t.Helper()
	cmd := command(t, program)
	cmd.Env = append(cmd.Environ(), "TANDEMDEBUG="+debug, "GORACE=atexit_sleep_ms=0", leaksEnv+"="+end, familyEnv+"="+newStarts(t).file.Name())
	var out bytes.Buffer
	cmd.Stderr = &out
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return out.String()
}

// TestLeftOpen: what was left open at the end of a program, and of a worker, is told with
// the place that made it, however the program ends; of a program that closes all, and
// without TANDEMDEBUG=leaks, nothing is.
func TestLeftOpen(t *testing.T) {
	leaveNothing(t)
	for _, end := range []string{"return", "exit", "panic"} {
		out := leaksOf(t, leakyProgram, "leaks", end)
		for _, want := range []string{
			"left open at the end of the program: 5\n",
			"process of process.Start github.com/tandem-go/tandem/process_test.member, not closed; made by\n",
			"process.Pool left, left (2 of them), not closed; made by\n",
			"shared.Mutex, not closed; made by\n",
			"shared.Mutex, not closed before it was garbage; made by\n",
			"process_test.makeGarbage",
			"left open in closed-1 when it left: 1\n",
			"process/leftopen_linux_test.go:",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("ended by %s: no %q in\n%s", end, want, out)
			}
		}
		if n := strings.Count(out, "TANDEMDEBUG=leaks: left open"); n != 2 {
			t.Errorf("ended by %s: %d reports, want one of the program and one of its worker\n%s", end, n, out)
		}
		if strings.Contains(out, "internal/leak") || strings.Contains(out, "process.(*Pool)") {
			t.Errorf("tandem's own functions are told:\n%s", out)
		}
	}
	for _, c := range []struct{ program, debug string }{{tidyProgram, "leaks"}, {tidyProgram, ""}, {leakyProgram, ""}, {leakyProgram, "locks"}} {
		if out := leaksOf(t, c.program, c.debug, "return"); out != "" {
			t.Errorf("%s with TANDEMDEBUG=%q wrote:\n%s", c.program, c.debug, out)
		}
	}
}
