package process_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// Ctrl-C is a signal to the process group of the terminal. Workers lead groups of
// their own: it reaches the program alone, which ends by it, or has a handler and
// closes its pool.

// phases of a pool's life in which Ctrl-C may come, and how many processes enroll
// in each. enter returns when the phase has begun or is about to; closed is what
// Close says of it.
var phases = []struct {
	name   string
	pool   *process.Pool
	enter  func(*process.Pool)
	size   int
	closed string
}{
	{"starting", &process.Pool{Config: process.Config{Env: misbehaving("before Init", "hang")}}, func(p *process.Pool) {
		go p.Start(context.Background())
		for len(process.Children()) == 0 {
			time.Sleep(time.Millisecond)
		}
		enroll(process.Children()[0].PID())
	}, 1, "<nil>"},
	{"Setup", &process.Pool{}, func(p *process.Pool) { go p.Start(context.Background()) }, 2, "<nil>"},
	{"idle", &process.Pool{}, func(p *process.Pool) {
		pid, err := getpid.On(p).Call(context.Background(), struct{}{})
		if err == nil {
			enroll(pid)
		}
	}, 1, "<nil>"},
	{"running", &process.Pool{}, func(p *process.Pool) { member.On(p).Go(context.Background(), struct{}{}) }, 2, "<nil>"},
	{"closing", &process.Pool{}, func(p *process.Pool) {
		getpid.On(p).Call(context.Background(), struct{}{})
		go p.Close()
	}, 2, "does its Exit hook hang?"},
}

func init() {
	for i := range phases {
		ph := &phases[i]
		ph.pool.Workers = 1
		switch ph.name {
		case "Setup":
			ph.pool.Setup = member.With(struct{}{})
		case "closing":
			ph.pool.Exit = member.With(struct{}{})
		}
		program("in phase "+ph.name, func() {
			ph.pool.Limits.Grace = time.Hour // nothing ends the worker but the end of the program
			ph.enter(ph.pool)
			select {}
		})
		program("in phase "+ph.name+", with a handler", func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			ph.pool.Limits.Grace = -1
			ph.enter(ph.pool)
			<-ctx.Done()
			fmt.Println("closed:", ph.pool.Close())
		})
	}
}

func TestInterrupted(t *testing.T) {
	// A shell that runs the tests in the background has them ignore Ctrl-C, and so do
	// their children.
	interrupt := syscall.SIGINT
	if signal.Ignored(interrupt) {
		interrupt = syscall.SIGTERM
	}
	for _, ph := range phases {
		t.Run(ph.name, func(t *testing.T) {
			leaveNothing(t)
			f := found(t, command(t, "in phase "+ph.name))
			f.gather(t, ph.size)
			f.signal(t, interrupt)
			f.cmd.Wait()
			if ws := f.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signal() != interrupt {
				t.Errorf("the program ended with %v, want signal %v", f.cmd.ProcessState, interrupt)
			}
			f.gone(t)
		})
	}
}

func TestInterruptedWithHandler(t *testing.T) {
	for _, ph := range phases {
		t.Run(ph.name, func(t *testing.T) {
			leaveNothing(t)
			var out strings.Builder
			cmd := command(t, "in phase "+ph.name+", with a handler")
			cmd.Stdout = &out
			f := found(t, cmd)
			f.gather(t, ph.size)
			f.signal(t, syscall.SIGINT)
			err := f.cmd.Wait()
			if err != nil || !strings.HasPrefix(out.String(), "closed: ") || !strings.Contains(out.String(), ph.closed) {
				t.Errorf("the program ended with %v and wrote %q, want closed: %s", err, out.String(), ph.closed)
			}
			f.gone(t)
		})
	}
}

// signal sends a signal to the program's process group.
func (f *family) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-f.cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
}

// What a task sees of Ctrl-C, if its program hands it on: a cancelled context.
var listen = tandem.NewTask("listen", func(ctx context.Context, _ struct{}) (string, error) {
	if err := enroll(os.Getpid()); err != nil {
		return "", err
	}
	<-ctx.Done()
	return "stopped in good order", nil
})

var listenProgram = program("listens", func() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pool := &process.Pool{Workers: 1}
	fmt.Println(listen.On(pool).Call(ctx, struct{}{}))
	fmt.Println(pool.Close())
})

func TestInterruptReachesTask(t *testing.T) {
	leaveNothing(t)
	var out strings.Builder
	cmd := command(t, listenProgram)
	cmd.Stdout = &out
	f := found(t, cmd)
	f.gather(t, 1)
	f.signal(t, syscall.SIGINT)
	if err := f.cmd.Wait(); err != nil || out.String() != "stopped in good order <nil>\n<nil>\n" {
		t.Errorf("the program ended with %v and wrote %q", err, out.String())
	}
	f.gone(t)
}
