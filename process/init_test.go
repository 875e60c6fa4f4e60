package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

func init() {
	misbehaviours["start processes"] = func() {
		pool := &process.Pool{Workers: 1}
		_, err := process.Start(context.Background(), process.Config{}, double, 1)
		_, call := double.On(pool).Call(context.Background(), 1)
		for _, err := range []error{err, call, double.On(pool).Go(context.Background(), 1).Err(), pool.Start(context.Background())} {
			fmt.Println(errors.Is(err, tandem.ErrNotInit), err)
		}
		if err := pool.Close(); err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	}
}

// A program that does not call Init starts no process, and is told what to do, in
// a test binary with the lines to add.
func TestInitMissing(t *testing.T) {
	leaveNothing(t)
	const refusal = "true tandem: cannot start a process: tandem.Init was not called: "
	for _, c := range []struct{ name, arg0, advice string }{
		{"program", "resize", "it must be the first line of main"},
		{"test binary", filepath.Join("/tmp", "resize.test"), "in a test binary add: func TestMain(m *testing.M) { tandem.Init(); os.Exit(m.Run()) }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(self(t))
			cmd.Args = []string{c.arg0}
			cmd.Env = misbehaving("before Init", "start processes")
			out, err := cmd.CombinedOutput()
			want := strings.Repeat(refusal+c.advice+"\n", 4)
			if err != nil || string(out) != want {
				t.Errorf("%v\ngot  %q\nwant %q", err, out, want)
			}
		})
	}
}

// A worker that does not reach Init is reported with what it wrote and with the
// sentence that Init must come first.
func TestInitNotReached(t *testing.T) {
	const sentence = "tandem.Init, which must be the first line of main"
	for _, c := range []struct {
		name, where, what string
		says              []string
	}{
		{"main exits", "before Init", "exit", []string{"exit status 7", sentence, "flag provided but not defined"}},
		{"main panics", "before Init", "panic", []string{sentence, "panic: no configuration"}},
		{"main hangs", "before Init", "hang", []string{"within 2s", sentence, "waiting for the database"}},
		{"package init exits", "package init", "exit", []string{"exit status 7", sentence, "flag provided but not defined"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaveNothing(t)
			var stderr lockedBuffer
			cfg := process.Config{Env: misbehaving(c.where, c.what), Stderr: &stderr, InitTimeout: 2 * time.Second}
			h, err := process.Start(t.Context(), cfg, double, 1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Wait(t.Context())
			mustSay(t, err, c.says)
			if !strings.Contains(stderr.String(), c.says[len(c.says)-1]) {
				t.Errorf("Config.Stderr got %q", stderr.String())
			}
		})
	}
}

// In a pool the first cause is what everybody is told, after a bounded number of
// births.
func TestInitNotReachedInPool(t *testing.T) {
	leaveNothing(t)
	var stderr lockedBuffer
	pool := &process.Pool{Workers: 2, Config: process.Config{Env: misbehaving("before Init", "exit"), Stderr: &stderr}}
	closing(t, pool)
	says := []string{"exit status 7", "tandem.Init, which must be the first line of main", "flag provided but not defined"}
	call := double.On(pool).Go(t.Context(), 1)
	mustSay(t, pool.Start(t.Context()), says)
	_, err := call.Wait(t.Context())
	mustSay(t, err, says)
	_, err = double.On(pool).Call(t.Context(), 1)
	mustSay(t, err, says)
	if births := strings.Count(stderr.String(), "flag provided"); births < 3 || births > 6 {
		t.Errorf("%d births before the pool gave up", births)
	}
}

var filler = tandem.NewVar("process_test.filler", "")

// Close ends a worker that hangs before Init, also one that is still to be told more than
// its socket has room for.
func TestInitHangsAndClose(t *testing.T) {
	leaveNothing(t)
	defer filler.Set("")
	for _, size := range []int{1, 4 << 20} {
		filler.Set(strings.Repeat("x", size))
		pool := &process.Pool{Workers: 1, Config: process.Config{Env: misbehaving("before Init", "hang"), Stderr: new(lockedBuffer), InitTimeout: time.Hour}}
		call := double.On(pool).Go(t.Context(), 1)
		eventually(t, "the worker is there", func() bool { return len(process.Children()) == 1 })
		pid := process.Children()[0].PID()
		late := time.AfterFunc(patience, func() {
			t.Errorf("%d bytes: Close waits for the worker", size)
			kill(t, pid)
		})
		if err := pool.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		late.Stop()
		if _, err := call.Wait(t.Context()); !errors.Is(err, tandem.ErrClosed) {
			t.Errorf("the call that waited: %v, want ErrClosed", err)
		}
	}
}

func mustSay(t *testing.T, err error, says []string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("the error does not say %q: %v", s, err)
		}
	}
}

// This runs before main, and in a worker too.
var _ = func() bool { misbehave("package init"); return true }()

// lockedBuffer is a buffer that a pool may still write to while the test reads.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
