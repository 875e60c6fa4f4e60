//go:build linux

package shared_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/codec"
	"github.com/tandem-go/tandem/shared"
)

// things is what the tests hand to their children, as a task's argument would.
type things struct {
	Mutex *shared.Mutex
	Count *shared.Value[int]
	Pair  *shared.Value[pair]
}

// pair is whole when both are equal.
type pair struct{ A, B [8]int64 }

const roleVariable = "TANDEM_SHARED_TEST_ROLE"

// The test binary is its own child: with a role in its environment it plays that
// instead of running tests.
func TestMain(m *testing.M) {
	tandem.Init()
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(role string) error {
	name, rest, _ := strings.Cut(role, " ")
	f := roles[name]
	if f == nil {
		return fmt.Errorf("no role %q", name)
	}
	encoded, files, _ := strings.Cut(rest, " ")
	src, err := hex.DecodeString(encoded)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(files)
	if err != nil {
		return err
	}
	var h codec.Handles
	for i := range n {
		if err := h.Receive(os.NewFile(uintptr(3+i), "handle")); err != nil {
			return err
		}
	}
	c, err := codec.Of[things]()
	if err != nil {
		return err
	}
	var in things
	if err := c.Decode(src, &in, &h); err != nil {
		return err
	}
	return f(in)
}

// roles by name; what one prints is read by its test.
var roles = map[string]func(things) error{
	"count": func(in things) error {
		for range 10000 {
			if err := in.Count.Update(background, func(n *int) error { *n++; return nil }); err != nil {
				return err
			}
		}
		return nil
	},
	"hold": func(in things) error {
		if err := in.Mutex.Lock(background); err != nil {
			return err
		}
		fmt.Println("locked")
		io.Copy(io.Discard, os.Stdin) // until killed, or until the test ends
		return nil
	},
	"lock": func(in things) error {
		fmt.Println("ready")
		err := in.Mutex.Lock(background)
		var died *shared.OwnerDiedError
		switch {
		case err == nil:
			in.Mutex.Unlock()
			fmt.Println("took it")
		case errors.As(err, &died):
			fmt.Println("died", died.PID)
		case errors.Is(err, shared.ErrNotRecoverable):
			fmt.Println("not recoverable")
		default:
			return err
		}
		return nil
	},
	"update": func(in things) error {
		fmt.Println("ready")
		for {
			err := in.Pair.Update(background, func(p *pair) error {
				for i := range p.A {
					p.A[i]++
					p.B[i]++
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	},
	"forever": func(in things) error {
		fmt.Println("ready")
		for {
			if err := in.Mutex.Lock(background); err != nil {
				return err
			}
			in.Mutex.Unlock()
		}
	},
}

// child is a running role.
type child struct {
	*exec.Cmd
	out   *bufio.Scanner
	stdin io.Closer
}

func start(t *testing.T, role string, in things) *child {
	t.Helper()
	c, err := codec.Of[things]()
	if err != nil {
		t.Fatal(err)
	}
	var h codec.Handles
	src, err := c.Append(nil, &in, &h)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %x %d", roleVariable, role, src, h.Len()))
	cmd.ExtraFiles = h.Files()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ch := &child{Cmd: cmd, out: bufio.NewScanner(out), stdin: stdin}
	t.Cleanup(func() { ch.Process.Kill(); ch.Wait() })
	return ch
}

// expect reads the child's next line.
func (c *child) expect(t *testing.T, want string) {
	t.Helper()
	if !c.out.Scan() || c.out.Text() != want {
		t.Fatalf("the child printed %q, %v; want %q", c.out.Text(), c.out.Err(), want)
	}
}

func (c *child) kill() {
	c.Process.Kill()
	c.Wait()
}

func newThings(t *testing.T) things {
	t.Helper()
	mu, err := shared.NewMutex()
	if err != nil {
		t.Fatal(err)
	}
	count, err := shared.NewValue(0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := shared.NewValue(pair{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(mu.Close(), count.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	return things{mu, count, p}
}

// TestProcessesCount: nothing is lost between processes and the goroutines of one.
func TestProcessesCount(t *testing.T) {
	in := newThings(t)
	var children []*child
	for range 3 {
		children = append(children, start(t, "count", in))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5000 {
				if err := in.Count.Update(background, func(n *int) error { *n++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, c := range children {
		for c.out.Scan() {
			t.Error(c.out.Text())
		}
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	if n, err := in.Count.Load(background); n != 50000 || err != nil {
		t.Errorf("counted %d, %v, want 50000", n, err)
	}
}

// TestOwnerKilled: kill -9 of the owner reaches who waits, here and in another
// process, and the lock can be made whole.
func TestOwnerKilled(t *testing.T) {
	in := newThings(t)
	owner := start(t, "hold", in)
	owner.expect(t, "locked")
	if in.Mutex.TryLock() {
		t.Fatal("TryLock took a lock that another process holds")
	}
	elsewhere := start(t, "lock", in)
	elsewhere.expect(t, "ready")
	here := make(chan error, 1)
	go func() { here <- in.Mutex.Lock(background) }()
	select {
	case err := <-here:
		t.Fatalf("Lock returned %v while the owner lived", err)
	case <-time.After(20 * time.Millisecond):
	}
	owner.kill()
	pid := owner.Process.Pid
	var died *shared.OwnerDiedError
	if err := <-here; !errors.As(err, &died) || died.PID != pid {
		t.Fatalf("the waiter got %v, want *OwnerDiedError of process %d", err, pid)
	}
	elsewhere.expect(t, fmt.Sprint("died ", pid))
	if in.Mutex.TryLock() {
		t.Fatal("TryLock took a lock whose owner died")
	}
	ran := 0
	for range 2 { // the second finds it whole
		err := in.Mutex.Repair(background, func(d *shared.OwnerDiedError) error {
			ran++
			if d.PID != pid {
				t.Errorf("Repair names process %d, want %d", d.PID, pid)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if ran != 1 {
		t.Errorf("the repair ran %d times", ran)
	}
	after := start(t, "lock", in)
	after.expect(t, "ready")
	after.expect(t, "took it")
}

func TestRepairFailsEverywhere(t *testing.T) {
	in := newThings(t)
	owner := start(t, "hold", in)
	owner.expect(t, "locked")
	owner.kill()
	sentinel := errors.New("sentinel")
	err := in.Mutex.Repair(background, func(*shared.OwnerDiedError) error { return sentinel })
	if !errors.Is(err, sentinel) || !errors.Is(err, shared.ErrNotRecoverable) {
		t.Errorf("Repair = %v", err)
	}
	if err := in.Mutex.Lock(background); err != shared.ErrNotRecoverable {
		t.Errorf("Lock = %v", err)
	}
	other := start(t, "lock", in)
	other.expect(t, "ready")
	other.expect(t, "not recoverable")
}

// TestRepairCancelled: a repair that could not begin changes nothing.
func TestRepairCancelled(t *testing.T) {
	in := newThings(t)
	owner := start(t, "hold", in)
	owner.expect(t, "locked")
	ctx, cancel := cancelled()
	defer cancel()
	if err := in.Mutex.Repair(ctx, func(*shared.OwnerDiedError) error { return nil }); err != errCause {
		t.Errorf("Repair of a held lock with an ended context: %v", err)
	}
	owner.kill()
	if err := in.Mutex.Repair(background, func(*shared.OwnerDiedError) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestKillsAtRandom: whatever a process was doing, its death leaves a lock that
// is free, or says that its owner died; never one that nobody can have.
func TestKillsAtRandom(t *testing.T) {
	in := newThings(t)
	deaths := 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		one, two := start(t, "forever", in), start(t, "forever", in)
		one.expect(t, "ready")
		two.expect(t, "ready")
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		one.kill()
		two.kill()
		ctx, cancel := timeout(10 * time.Second)
		err := in.Mutex.Lock(ctx)
		cancel()
		var died *shared.OwnerDiedError
		switch {
		case err == nil:
			in.Mutex.Unlock()
		case errors.As(err, &died):
			deaths++
			if died.PID != one.Process.Pid && died.PID != two.Process.Pid {
				t.Errorf("process %d is said to have died", died.PID)
			}
			if err := in.Mutex.Repair(background, func(*shared.OwnerDiedError) error { return nil }); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("after both were killed: %v", err)
		}
	}
	if deaths == 0 {
		t.Error("no kill met an owner: the test has tried nothing")
	}
	t.Logf("%d deaths of owners", deaths)
}

// TestUpdateKilled: a value is whole, or its owner is known to have died; never
// silently torn.
func TestUpdateKilled(t *testing.T) {
	in := newThings(t)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		c := start(t, "update", in)
		c.expect(t, "ready")
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
		c.kill()
		p, err := in.Pair.Load(background)
		var died *shared.OwnerDiedError
		switch {
		case err == nil && p.A != p.B:
			t.Fatalf("torn, and nobody said so: %v", p)
		case errors.As(err, &died):
			err = in.Pair.Repair(background, func(p *pair, _ *shared.OwnerDiedError) error {
				p.B = p.A
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
