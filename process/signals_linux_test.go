package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// untilFile works, with a program beside it, until there is a file with that name.
// It does not listen to its context.
var untilFile = tandem.NewTask("untilFile", func(ctx context.Context, name string) (string, error) {
	go beMember(ctx, struct{}{})
	for {
		if _, err := os.Stat(name); err == nil {
			return "finished", nil
		}
		time.Sleep(time.Millisecond)
	}
})

const gateEnv = "TANDEM_TEST_GATE" // the name of the file that ends untilFile

// leaver is a program with three calls in a pool of two workers, and a child that
// has a child. It ends when its signals say so.
func leaver(s process.Signals) func() {
	return func() {
		pool := &process.Pool{Workers: 2, Limits: tandem.Limits{Grace: time.Hour}}
		s.Pools = []*process.Pool{pool}
		if s.Deadline > 0 || s.Cancel {
			pool.Limits.Grace = -1
		}
		ctx, stop := s.Handle(context.Background())
		calls := []*tandem.Future[string]{}
		for range 3 {
			calls = append(calls, untilFile.On(pool).Go(ctx, os.Getenv(gateEnv)))
		}
		if _, err := process.Start(ctx, process.Config{Limits: tandem.Limits{Grace: -1}}, head, struct{}{}); err != nil {
			fmt.Println(err)
		}
		<-ctx.Done()
		for _, c := range calls {
			out, err := c.Wait(context.Background())
			fmt.Printf("%q %v\n", out, errors.Is(err, tandem.ErrClosed) || errors.Is(err, context.Canceled))
		}
		_, err := double.On(pool).Call(context.Background(), 1)
		fmt.Println("closed", errors.Is(err, tandem.ErrClosed))
		stop()
		if told, ok := errors.AsType[*process.SignalError](context.Cause(ctx)); ok {
			os.Exit(told.ExitCode())
		}
	}
}

var (
	finisher  = program("finishes", leaver(process.Signals{}))
	canceller = program("cancels", leaver(process.Signals{Cancel: true}))
	hurried   = program("has a deadline", leaver(process.Signals{Deadline: 50 * time.Millisecond}))
)

// leaverSize is who runs when two of the calls do: two workers, the child and its
// child, and for each of these a program.
const leaverSize = 8

// leaveTaker is a leaver that has begun, and all that it writes.
type leaveTaker struct {
	*family
	gate     string
	out, err lockedBuffer
}

func begun(t *testing.T, name string) *leaveTaker {
	t.Helper()
	leaveNothing(t)
	if signal.Ignored(syscall.SIGINT) { // as a shell's background job; the program must not inherit it
		heard := make(chan os.Signal, 1)
		signal.Notify(heard, syscall.SIGINT)
		t.Cleanup(func() { signal.Ignore(syscall.SIGINT) })
	}
	l := &leaveTaker{gate: t.TempDir() + "/gate"}
	cmd := command(t, name)
	cmd.Env = append(cmd.Env, gateEnv+"="+l.gate)
	cmd.Stdout, cmd.Stderr = &l.out, &l.err
	l.family = found(t, cmd)
	l.gather(t, leaverSize)
	return l
}

// told waits for the one line that says what happens, and checks it.
func (l *leaveTaker) told(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the program says what it does", func() bool { return strings.Contains(l.err.String(), "\n") })
	if got := l.err.String(); got != "tandem: "+want+"; once more kills\n" {
		t.Errorf("the program wrote %q, want %q", got, want)
	}
}

// ended waits for the end of the program and of its family.
func (l *leaveTaker) ended(t *testing.T, code int, out string) {
	t.Helper()
	l.cmd.Wait()
	if got := l.cmd.ProcessState.ExitCode(); got != code || l.out.String() != out {
		t.Errorf("the program ended with %v and wrote %q, want exit status %d and %q", l.cmd.ProcessState, l.out.String(), code, out)
	}
	l.gone(t)
}

const (
	allFinished  = "\"finished\" false\n\"finished\" false\n\"finished\" false\nclosed true\n"
	allCancelled = "\"\" true\n\"\" true\n\"\" true\nclosed true\n"
)

// One signal: what was accepted is finished, the queued call too, and then all go.
func TestSignalFinishes(t *testing.T) {
	for _, c := range []struct {
		sig  syscall.Signal
		code int
		told string
	}{
		{syscall.SIGINT, 130, "interrupt: finishing what was accepted (calls: 3)"},
		{syscall.SIGTERM, 143, "terminated: finishing what was accepted (calls: 3) within 8s"},
	} {
		t.Run(c.sig.String(), func(t *testing.T) {
			l := begun(t, finisher)
			l.signal(t, c.sig)
			l.told(t, c.told)
			if err := os.WriteFile(l.gate, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			l.ended(t, c.code, allFinished)
		})
	}
}

// Two signals: all goes at once, with tasks that would never end and a grace of an
// hour. The program ends as by a signal without a handler.
func TestSignalTwice(t *testing.T) {
	l := begun(t, finisher)
	l.signal(t, syscall.SIGTERM)
	l.told(t, "terminated: finishing what was accepted (calls: 3) within 8s")
	l.signal(t, syscall.SIGINT)
	l.cmd.Wait()
	if ws := l.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signal() != syscall.SIGINT || l.out.String() != "" {
		t.Errorf("the program ended with %v and wrote %q, want signal interrupt", l.cmd.ProcessState, l.out.String())
	}
	l.gone(t)
}

func TestSignalCancels(t *testing.T) {
	l := begun(t, canceller)
	l.signal(t, syscall.SIGINT)
	l.told(t, "interrupt: cancelling what was accepted (calls: 3)")
	l.ended(t, 130, allCancelled)
}

// The deadline is SIGTERM's: the tasks would never end.
func TestSignalDeadline(t *testing.T) {
	l := begun(t, hurried)
	l.signal(t, syscall.SIGTERM)
	l.told(t, "terminated: finishing what was accepted (calls: 3) within 50ms")
	l.ended(t, 143, allCancelled)
}

// Drain comes first and may still use the pools; stop waits for what it began.
var drainer = program("drains", func() {
	pool := &process.Pool{Workers: 1}
	ctx, stop := process.Signals{Pools: []*process.Pool{pool}, Message: io.Discard, Drain: func(ctx context.Context) error {
		fmt.Println(double.On(pool).Call(ctx, 21))
		return nil
	}}.Handle(context.Background())
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-ctx.Done()
	fmt.Println(context.Cause(ctx))
	stop()
	stop()
})

func TestSignalDrains(t *testing.T) {
	out, err := command(t, drainer).CombinedOutput()
	if want := "42 <nil>\ntandem: this program was told to leave: signal \"terminated\"\n"; err != nil || string(out) != want {
		t.Errorf("the program ended with %v and wrote %q, want %q", err, out, want)
	}
}

// hanging is a program that leaves by a signal with a deadline, while a call of an hour
// runs, and something else hangs.
func hanging(s process.Signals, drain func(call *tandem.Future[int])) func() {
	return func() {
		pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Grace: -1}}
		s.Pools, s.Deadline = []*process.Pool{pool}, 50*time.Millisecond
		call := sleeping.On(pool).Go(context.Background(), time.Hour)
		s.Drain = func(context.Context) error { drain(call); return nil }
		ctx, stop := s.Handle(context.Background())
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		<-ctx.Done()
		_, err := call.Wait(context.Background())
		stop()
		fmt.Println(errors.Is(err, tandem.ErrClosed), context.Cause(ctx))
	}
}

// unread is somebody who does not read.
type unread struct{}

func (unread) Write([]byte) (int, error) { select {} }

var (
	mute   = program("cannot say it", hanging(process.Signals{Message: unread{}}, func(*tandem.Future[int]) {}))
	patron = program("drains too long", hanging(process.Signals{Message: io.Discard}, func(call *tandem.Future[int]) { call.Wait(context.Background()) }))
)

// The deadline holds, whoever does not read the line, and whatever Drain waits for.
func TestSignalDeadlineHolds(t *testing.T) {
	for _, name := range []string{mute, patron} {
		t.Run(name, func(t *testing.T) {
			leaveNothing(t)
			cmd := command(t, name)
			late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
			defer late.Stop()
			out, err := cmd.CombinedOutput()
			if want := "true tandem: this program was told to leave: signal \"terminated\"\n"; err != nil || string(out) != want {
				t.Errorf("the program ended with %v and wrote %q, want %q", err, out, want)
			}
		})
	}
}

// Without a signal nothing happens to the pools, and after stop a signal does what it
// did before.
func TestHandleSignalsStopped(t *testing.T) {
	leaveNothing(t)
	pool := oneWorker(t, tandem.Bound{})
	ctx, stop := process.HandleSignals(t.Context(), pool)
	stop()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cause %v, want canceled", err)
	}
	if out, err := double.On(pool).Call(t.Context(), 1); out != 2 || err != nil {
		t.Errorf("the pool answers %d, %v", out, err)
	}
}
