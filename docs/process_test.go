package docs_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func TestProcess(t *testing.T) {
	ctx := onProcesses(t)
	{
		// page: multiprocessing Process
		h, err := process.Start(ctx, process.Config{}, square, 3)
		// end
		must(t, err)
		n, err := h.Wait(ctx)
		must(t, err)
		want(t, n, 9)
	}
	{
		h := started(t, 0)
		// page: multiprocessing Process.join
		wait, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		s, err := h.Wait(wait)
		// end
		if err == nil {
			want(t, s, "slept")
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	{
		h := started(t, 0)
		<-h.Process.Done()
		// page: multiprocessing Process.exitcode
		code, ended := h.Process.ExitCode()
		// end
		want(t, code, 0)
		want(t, ended, true)
	}
	{
		h, err := process.Start(ctx, process.Config{}, exit, 3)
		must(t, err)
		_, err = h.Wait(ctx)
		// page: multiprocessing ProcessError
		var crash *tandem.CrashError
		died := errors.As(err, &crash)
		// end
		want(t, died, true)
		want(t, crash.ExitCode, 3)
	}
}

func TestRunningProcess(t *testing.T) {
	ctx := onProcesses(t)
	h := started(t, time.Hour)
	// page: multiprocessing Process.is_alive
	alive := h.Process.Alive()
	// end
	want(t, alive, true)
	// page: multiprocessing Process.pid
	pid := h.Process.PID()
	// end
	want(t, pid > 0 && pid != os.Getpid(), true)
	// page: multiprocessing Process.name
	name := h.Process.Name()
	// end
	want(t, name[:8], "Process-")
	{
		// page: multiprocessing Process(name=…)
		h, err := process.Start(ctx, process.Config{Name: "cook"}, where, struct{}{})
		// end
		must(t, err)
		name, err := h.Wait(ctx)
		must(t, err)
		want(t, name, "cook")
	}
	// page: multiprocessing active_children
	children := process.Children()
	// end
	want(t, len(children), 1)
	// page: multiprocessing Process.kill
	err := h.Process.Kill()
	// end
	must(t, err)
	// page: multiprocessing Process.sentinel
	<-h.Done() // or a case of a select
	// end
	code, ended := h.Process.ExitCode()
	want(t, code, -9)
	want(t, ended, true)

	h = started(t, time.Hour)
	// page: multiprocessing Process.terminate
	err = h.Process.Terminate()
	// end
	must(t, err)
	<-h.Process.Done()
	code, _ = h.Process.ExitCode()
	want(t, code, -15)
}

func TestWhoAmI(t *testing.T) {
	// page: multiprocessing current_process
	name := process.Current().Name()
	// end
	want(t, name, "MainProcess")
	// page: multiprocessing parent_process
	parent := process.Parent()
	// end
	want(t, parent, nil)
	// page: multiprocessing cpu_count
	n := tandem.CPUs()
	// end
	if n < 1 {
		t.Errorf("CPUs() = %d", n)
	}
}

func TestInherited(t *testing.T) {
	ctx := onProcesses(t)
	// page: multiprocessing global
	num.Set(101) // var num = tandem.NewVar("num", 100), at package level
	h, err := process.Start(ctx, process.Config{}, look, struct{}{})
	// end
	must(t, err)
	n, err := h.Wait(ctx)
	must(t, err)
	want(t, n, 101)
}

func TestTimeLimit(t *testing.T) {
	ctx, pool := t.Context(), twoWorkers(t)
	// page: multiprocessing TimeoutError
	_, err := nap.On(pool).Limit(tandem.Limits{Time: time.Millisecond}).Call(ctx, time.Hour)
	late := errors.Is(err, tandem.ErrTimeout)
	// end
	want(t, late, true)
	want(t, errors.Is(err, context.DeadlineExceeded), false)
}
