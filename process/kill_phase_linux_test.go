package process_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// What becomes of a call depends on where in its life the worker died: before the
// start of the task the call moves on; after it, it is over, unless the task is
// idempotent.

// work is the argument of a task that notes its start and then, if it is one of
// the first Hang, hangs. It answers with its pid.
type work struct {
	Starts *os.File
	Hang   int
	Data   []byte // may be large
}

func doWork(ctx context.Context, in work) (int, error) {
	if err := noteStart(in.Starts, len(in.Data)); err != nil {
		return 0, err
	}
	n, err := startsIn("/proc/self/fd/" + strconv.Itoa(descriptor(in.Starts)))
	if err == nil && n <= in.Hang {
		select {} // the worker is killed in here
	}
	return os.Getpid(), err
}

var (
	workOnce  = tandem.NewTask("work once", doWork)
	workAgain = tandem.NewTask("work again", doWork).Idempotent()
)

// oneWorker is a pool of one worker that serves.
func oneWorker(t *testing.T, setup tandem.Bound) *process.Pool {
	t.Helper()
	pool := &process.Pool{Workers: 1, Setup: setup}
	closing(t, pool)
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return pool
}

// crashOf is err as the CrashError of a worker that was killed from outside.
func crashOf(t *testing.T, err error, pid int) {
	t.Helper()
	crash, ok := errors.AsType[*tandem.CrashError](err)
	if !ok {
		t.Fatalf("got %v, want a CrashError", err)
	}
	if crash.PID != pid || crash.ExitCode != -1 || crash.Signal != "killed" || crash.Collateral || crash.Err != nil {
		t.Errorf("got %+v, want pid %d, exit code -1, signal killed, nothing else", crash, pid)
	}
}

func TestKilledIdle(t *testing.T) {
	leaveNothing(t)
	s, pool := newStarts(t), oneWorker(t, tandem.Bound{})
	pid, err := workOnce.On(pool).Call(t.Context(), work{Starts: s.file})
	for round := range 20 {
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the worker waits", func() bool { return asleep(pid) })
		kill(t, pid)
		if round%2 == 1 { // else the next call may still be sent to the dead worker
			eventually(t, "the death is noticed", func() bool { return pool.Stats().Ended == uint64(round+1) })
		}
		dead := pid
		if pid, err = workOnce.On(pool).Call(t.Context(), work{Starts: s.file}); pid == dead {
			t.Fatalf("round %d: worker %d answers after its death", round, pid)
		}
	}
	if got := len(s.all()); got != 21 || err != nil {
		t.Errorf("21 calls started %d times; the last: %v", got, err)
	}
}

// The worker is stopped, so that the argument lies in its socket when it dies.
func TestKilledReading(t *testing.T) {
	leaveNothing(t)
	s, pool := newStarts(t), oneWorker(t, tandem.Bound{})
	pid, err := workOnce.On(pool).Call(t.Context(), work{Starts: s.file})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, pid)
	call := workOnce.On(pool).Go(t.Context(), work{Starts: s.file, Data: make([]byte, 16<<20)})
	eventually(t, "the call is under way", func() bool { return pool.Stats().Running == 1 })
	kill(t, pid)
	next, err := call.Wait(t.Context())
	if err != nil || next == pid || len(s.all()) != 2 {
		t.Errorf("pid %d after %d, %v, %d starts; want another worker, no error, one start more", next, pid, err, len(s.all())-1)
	}
}

// At any moment of a call with a large argument: reading, decoding, running,
// answering. The task is not idempotent, and starts once at most.
func TestKilledAnywhere(t *testing.T) {
	leaveNothing(t)
	s, pool := newStarts(t), oneWorker(t, tandem.Bound{})
	in := work{Starts: s.file, Data: make([]byte, 8<<20)}
	begun := time.Now()
	pid, err := workOnce.On(pool).Call(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	full := time.Since(begun)
	for range 12 {
		before := len(s.all())
		call := workOnce.On(pool).Go(t.Context(), in)
		select {
		case <-time.After(rand.N(full)): // a moment, not a condition
		case <-call.Done():
		}
		kill(t, pid)
		_, err := call.Wait(t.Context())
		switch n := len(s.all()) - before; {
		case err == nil && n != 1:
			t.Fatalf("a call that succeeded started %d times", n)
		case err != nil && n > 1:
			t.Fatalf("a call that failed started %d times: %v", n, err)
		case err != nil:
			crashOf(t, err, pid)
		}
		// What is sent to a worker in the moment of its death may be lost with it.
		eventually(t, "the pool goes on", func() bool {
			pid, err = workOnce.On(pool).Call(t.Context(), work{Starts: s.file})
			return err == nil
		})
	}
}

var getpid = tandem.NewTask("getpid", func(ctx context.Context, _ struct{}) (int, error) { return os.Getpid(), nil })

func descriptor(f *os.File) (n int) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1
	}
	raw.Control(func(fd uintptr) { n = int(fd) })
	return n
}

func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is stopped", func() bool {
		s, ok := statOf(pid)
		return ok && s.state == "T"
	})
}

// asleep reports whether all threads of a process wait.
func asleep(pid int) bool {
	threads, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/stat")
	for _, path := range threads {
		if s, ok := readStat(path); ok && s.state != "S" {
			return false
		}
	}
	return len(threads) > 0
}
