package process_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// A worker that dies with half of its result written. So that it stays there, the
// whole program that reads the result is stopped meanwhile.

// big notes its start, waits until its parent is stopped, and answers with more
// than a socket holds.
func beBig(ctx context.Context, path string) ([]byte, error) {
	if err := noteStartAt(path, 0); err != nil {
		return nil, err
	}
	if n, _ := startsIn(path); n > 1 {
		return []byte("again"), nil
	}
	for s, _ := statOf(os.Getppid()); s.state != "T"; s, _ = statOf(os.Getppid()) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return make([]byte, 32<<20), nil
}

var (
	bigOnce  = tandem.NewTask("big once", beBig)
	bigAgain = tandem.NewTask("big again", beBig).Idempotent()
)

// verdict is what the program says of its call.
type verdict struct {
	Got    string
	Crash  int // pid
	Signal string
	Err    string
	Next   int // pid of the worker that took the next call
}

func init() {
	for name, task := range map[string]*tandem.Task[string, []byte]{"once": bigOnce, "again": bigAgain} {
		program("reads a big result, "+name, func() {
			// By the socket: in a segment the result is there before a word of it is sent.
			pool := &process.Pool{Workers: 1, Transport: process.Sockets}
			got, err := task.On(pool).Call(context.Background(), os.Getenv(familyEnv))
			var v verdict
			if len(got) < 100 {
				v.Got = string(got)
			}
			if err != nil {
				v.Err = err.Error()
			}
			if crash, ok := errors.AsType[*tandem.CrashError](err); ok {
				v.Crash, v.Signal = crash.PID, crash.Signal
			}
			v.Next, err = getpid.On(pool).Call(context.Background(), struct{}{})
			if err = errors.Join(err, pool.Close(), json.NewEncoder(os.Stdout).Encode(v)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		})
	}
}

func TestKilledWriting(t *testing.T) {
	for _, c := range []struct {
		name   string
		starts int
	}{{"once", 1}, {"again", 2}} {
		t.Run(c.name, func(t *testing.T) {
			leaveNothing(t)
			var out strings.Builder
			cmd := command(t, "reads a big result, "+c.name)
			cmd.Stdout = &out
			f := found(t, cmd)
			worker := f.starts.await(1)
			stop(t, cmd.Process.Pid)
			eventually(t, "the worker writes and cannot go on", func() bool { return asleep(worker) && grown(worker) })
			kill(t, worker)
			syscall.Kill(cmd.Process.Pid, syscall.SIGCONT)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("the program: %v", err)
			}
			var v verdict
			if err := json.Unmarshal([]byte(out.String()), &v); err != nil {
				t.Fatalf("%q: %v", out.String(), err)
			}
			if c.starts == 1 && (v.Crash != worker || v.Signal != "killed") {
				t.Errorf("%+v, want a CrashError of %d", v, worker)
			}
			if c.starts == 2 && (v.Got != "again" || v.Err != "") {
				t.Errorf("%+v, want the second worker's answer", v)
			}
			if v.Next == 0 || v.Next == worker || len(f.starts.all()) != c.starts {
				t.Errorf("%+v, %d starts, want %d and another worker for the next call", v, len(f.starts.all()), c.starts)
			}
		})
	}
}

// grown reports whether a process holds a result of 32 MiB.
func grown(pid int) bool { return residentOf(pid) > 32<<20 }
