package process_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/sys"
	"github.com/tandem-go/tandem/process"
	"github.com/tandem-go/tandem/shared"
)

// sandboxed skips a test where the kernel lacks what a sandbox takes.
func sandboxed(t *testing.T, s *process.Sandbox) {
	t.Helper()
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
	defer pool.Close()
	err := pool.Start(t.Context())
	switch {
	case err == nil:
	case errors.Is(err, errors.ErrUnsupported) && !offers(s):
		t.Skipf("not on this system: %v", err)
	default:
		t.Fatal(err)
	}
}

// offers asks the kernel whether it has what s takes, past the code that is tested. A
// namespace can be refused for reasons that only the attempt tells.
func offers(s *process.Sandbox) bool {
	const leastLandlock, signalsWithin = 6, 2
	return runtime.GOARCH == "amd64" && sys.LandlockABI() >= leastLandlock && sys.LandlockFixed(signalsWithin) && sys.CanFilterCalls() &&
		!s.PIDNamespace && !s.NetworkNamespace && !s.UserNamespace && (s.UID == 0 || os.Geteuid() == 0)
}

// tries has a task try something, and compares with what is said about it: "" if it
// is to succeed.
func tries(t *testing.T, place tandem.Runner, d deed, want string) {
	t.Helper()
	got, err := attempt.On(place).Call(t.Context(), d)
	if err != nil || (got == "") != (want == "") || !strings.Contains(got, want) {
		t.Errorf("%s %s: %q, %v, want %q", d.What, d.Path, got, err, want)
	}
}

const (
	notPermitted = "operation not permitted" // by the filter
	noPermission = "permission denied"       // by landlock
)

// TestSandboxBase: what holds in every sandbox.
func TestSandboxBase(t *testing.T) {
	s := &process.Sandbox{}
	sandboxed(t, s)
	leaveNothing(t)
	for _, tr := range []process.Transport{process.SharedMemory, process.Sockets} {
		t.Run(tr.String(), func(t *testing.T) {
			pool := &process.Pool{Workers: 2, Threads: 2, Transport: tr, Config: process.Config{Sandbox: s}}
			closing(t, pool)
			if err := pool.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				d    deed
				want string
			}{
				{deed{What: "itself"}, ""},
				{deed{What: "signal", PID: os.Getpid()}, notPermitted},
				{deed{What: "memory", PID: os.Getpid()}, noPermission},
				{deed{What: "environ", PID: os.Getpid()}, noPermission},
				{deed{What: "ptrace", PID: os.Getpid()}, notPermitted},
				{deed{What: "limits", PID: os.Getpid()}, notPermitted},
				{deed{What: "limits", PID: 0}, ""},
				{deed{What: "nice", PID: os.Getpid()}, notPermitted},
				{deed{What: "nice", PID: 0}, ""},
				{deed{What: "mount", Path: t.TempDir()}, notPermitted},
				{deed{What: "unshare"}, notPermitted},
				{deed{What: "keys"}, notPermitted},
				{deed{What: "type"}, notPermitted},
				{deed{What: "io_uring"}, notPermitted},
				{deed{What: "i386"}, notPermitted},
				{deed{What: "device", Path: filepath.Join(t.TempDir(), "null")}, ""},
				{deed{What: "capable"}, "no capabilities"},
				{deed{What: "listen"}, ""},
				{deed{What: "send"}, ""},
				{deed{What: "exec", Path: "/bin/true"}, ""},
				{deed{What: "thread"}, ""},
				{deed{What: "read", Path: "/etc/hosts"}, ""},
			} {
				if c.d.What == "device" {
					c.want = "permitted" // by landlock or for lack of the capability
					if os.Geteuid() == 0 {
						c.want = noPermission
					}
				}
				tries(t, pool, c.d, c.want)
			}
			pids := []int{process.Children()[0].PID(), process.Children()[1].PID()}
			tries(t, pool, deed{What: "siblings", PIDs: pids}, notPermitted)
			if got := pool.Stats().Sandbox; got != "no new privileges, landlock, system calls" {
				t.Errorf("Stats say that %q is in force", got)
			}
		})
	}
}

// TestSandboxFiles: nothing but the given folders.
func TestSandboxFiles(t *testing.T) {
	folder := t.TempDir()
	s := &process.Sandbox{Read: []string{filepath.Join(folder, "r"), "/bin", "/lib", "/lib64", "/usr"}, Write: []string{filepath.Join(folder, "w")}}
	s.Read = slices.DeleteFunc(s.Read, func(path string) bool { return strings.HasPrefix(path, "/lib") && !exists(path) })
	for _, path := range []string{"r", "w", "o"} {
		if err := os.Mkdir(filepath.Join(folder, path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, path, "f"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
	closing(t, pool)
	for _, c := range []struct{ what, path, want string }{
		{"read", "r/f", ""},
		{"write", "r/f", noPermission},
		{"write", "r/new", noPermission},
		{"delete", "r/f", noPermission},
		{"write", "w/f", ""},
		{"write", "w/new", ""},
		{"exec", "w/new", noPermission},
		{"read", "w/f", ""},
		{"link", "w/f", ""},
		{"delete", "w/new", ""},
		{"read", "o/f", noPermission},
		{"write", "o/f", noPermission},
		{"delete", "o/f", noPermission},
		{"rename", "w/f o/g", noPermission},
		{"symlink", "o/f w/s", ""},
		{"read", "w/s", noPermission},
	} {
		from, to, _ := strings.Cut(c.path, " ")
		tries(t, pool, deed{What: c.what, Path: filepath.Join(folder, from), To: filepath.Join(folder, to)}, c.want)
	}
	tries(t, pool, deed{What: "read", Path: "/etc/passwd"}, noPermission)
	tries(t, pool, deed{What: "read", Path: "/proc/self/environ"}, noPermission)
	tries(t, pool, deed{What: "exec", Path: "/bin/true"}, "")
	f, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tries(t, pool, deed{What: "file", File: f}, "") // what is given can be used
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// TestSandboxClosed: no file, no socket, no program. Calls of all sizes go on.
func TestSandboxClosed(t *testing.T) {
	s := &process.Sandbox{NoFiles: true, NoNetwork: true, NoExec: true}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 2, Config: process.Config{Sandbox: s}}
	closing(t, pool)
	for _, c := range []struct {
		d    deed
		want string
	}{
		{deed{What: "read", Path: "/etc/passwd"}, noPermission},
		{deed{What: "read", Path: self(t)}, ""},
		{deed{What: "write", Path: filepath.Join(t.TempDir(), "f")}, noPermission},
		{deed{What: "socket"}, notPermitted},
		{deed{What: "listen"}, notPermitted},
		{deed{What: "exec", Path: "/bin/true"}, notPermitted},
		{deed{What: "exec", Path: "/proc/self/exe"}, notPermitted},
		{deed{What: "thread"}, ""},
	} {
		tries(t, pool, c.d, c.want)
	}
	for _, n := range []int{1, 1 << 16, 4 << 20} { // in a ring, in a segment, one that looks for room
		in := make([]byte, n)
		in[n-1] = 7
		out, err := reversed.On(pool).Call(t.Context(), in)
		if err != nil || len(out) != n || out[0] != 7 {
			t.Errorf("%d bytes: %d came back, %v", n, len(out), err)
		}
	}
}

var reversed = tandem.NewTask("reversed", func(_ context.Context, b []byte) ([]byte, error) {
	slices.Reverse(b)
	return b, nil
})

// TestSandboxNamespaces: spaces of their own, with locks refused in one of processes.
func TestSandboxNamespaces(t *testing.T) {
	for _, s := range []*process.Sandbox{
		{PIDNamespace: true, NetworkNamespace: true, UserNamespace: true, NoFiles: true},
		{PIDNamespace: true, NetworkNamespace: true},
		{UserNamespace: true},
	} {
		t.Run(fmt.Sprintf("%+v", *s), func(t *testing.T) {
			sandboxed(t, s)
			leaveNothing(t)
			pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
			closing(t, pool)
			lock, err := shared.NewMutex()
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			_, err = locked.On(pool).Call(t.Context(), lock)
			if s.PIDNamespace {
				tries(t, pool, deed{What: "own pids"}, "")
				if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "PID namespace") {
					t.Errorf("a lock in another PID namespace: %v", err)
				}
			} else if err != nil {
				t.Errorf("a lock: %v", err)
			}
			if s.NetworkNamespace {
				tries(t, pool, deed{What: "send"}, "network is unreachable") // not even loopback
			}
			if s.UserNamespace {
				tries(t, pool, deed{What: "own user", PID: 65534}, "")
			}
			tries(t, pool, deed{What: "capable"}, "no capabilities")
		})
	}
}

var locked = tandem.NewTask("locked", func(ctx context.Context, m *shared.Mutex) (struct{}, error) {
	return struct{}{}, m.With(ctx, func() error { return nil })
})

// TestSandboxUser: another user, if root starts it.
func TestSandboxUser(t *testing.T) {
	const nobody = 65533
	s := &process.Sandbox{UID: nobody, GID: nobody, NoFiles: true}
	if os.Geteuid() != 0 {
		pool := &process.Pool{Config: process.Config{Sandbox: s}}
		closing(t, pool)
		if err := pool.Start(t.Context()); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "root") {
			t.Errorf("another user without root: %v", err)
		}
		return
	}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
	closing(t, pool)
	tries(t, pool, deed{What: "own user", PID: nobody}, "")
	tries(t, pool, deed{What: "capable"}, "no capabilities")
	tries(t, pool, deed{What: "signal", PID: os.Getpid()}, notPermitted)
}

// TestSandboxDescriptors: what was opened without close-on-exec stays outside.
func TestSandboxDescriptors(t *testing.T) {
	sandboxed(t, &process.Sandbox{})
	var stray [2]int
	if err := syscall.Pipe(stray[:]); err != nil { // as C code does
		t.Fatal(err)
	}
	defer unix.Close(stray[0])
	defer unix.Close(stray[1])
	high, err := unix.FcntlInt(uintptr(stray[0]), unix.F_DUPFD, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(high)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	extra := []*os.File{r}
	for _, c := range []struct {
		sandbox *process.Sandbox
		fd      int
		want    string
	}{
		{nil, high, ""},
		{&process.Sandbox{}, high, "bad file descriptor"},
		{&process.Sandbox{NoFiles: true}, high, "bad file descriptor"},
		{&process.Sandbox{NoFiles: true}, 3, ""}, // the extra file
	} {
		h, err := process.Start(t.Context(), process.Config{Sandbox: c.sandbox, ExtraFiles: extra}, attempt, deed{What: "descriptor", FD: c.fd})
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.Wait(t.Context())
		if err != nil || !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("descriptor %d in %+v: %q, %v, want %q", c.fd, c.sandbox, got, err, c.want)
		}
	}
}

// TestSandboxStart: one process, booted for its task or before.
func TestSandboxStart(t *testing.T) {
	s := &process.Sandbox{NoFiles: true, NoExec: true}
	sandboxed(t, s)
	leaveNothing(t)
	standby := &process.Standby{Config: process.Config{Sandbox: s}}
	defer standby.Close()
	if err := standby.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []process.Config{{Sandbox: s}, {Standby: standby}} {
		h, err := process.Start(t.Context(), cfg, attempt, deed{What: "read", Path: "/etc/passwd"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Wait(t.Context()); err != nil || !strings.Contains(got, noPermission) {
			t.Errorf("read: %q, %v", got, err)
		}
		if got := h.Process.Sandbox(); got != "no new privileges, landlock, files, system calls, no programs" {
			t.Errorf("in force: %q", got)
		}
	}
	if _, err := process.Start(t.Context(), process.Config{Standby: standby, Sandbox: s}, attempt, deed{}); err == nil {
		t.Error("a Sandbox beside a Standby was taken")
	}
}

// TestSandboxInside: a pool of a task in a sandbox works, and is inside too.
func TestSandboxInside(t *testing.T) {
	s := &process.Sandbox{NoFiles: true, NoNetwork: true}
	sandboxed(t, s)
	leaveNothing(t)
	pool := &process.Pool{Workers: 1, Config: process.Config{Sandbox: s}}
	closing(t, pool)
	for _, own := range []bool{false, true} {
		got, err := inside.On(pool).Call(t.Context(), own)
		if err != nil || !strings.Contains(got, noPermission) {
			t.Errorf("own sandbox %v: %q, %v", own, got, err)
		}
	}
}

var inside = tandem.NewTask("inside", func(ctx context.Context, own bool) (got string, err error) {
	pool := &process.Pool{Workers: 1}
	if own {
		pool.Config.Sandbox = &process.Sandbox{NoExec: true}
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return attempt.On(pool).Call(ctx, deed{What: "read", Path: "/etc/passwd"})
})

// TestSandboxRefused: what makes no sense, or is not there.
func TestSandboxRefused(t *testing.T) {
	for _, c := range []struct {
		s    process.Sandbox
		says string
	}{
		{process.Sandbox{UID: 7}, "set both"},
		{process.Sandbox{UID: -1, GID: -1}, "set both"},
		{process.Sandbox{UID: 7, GID: 7, UserNamespace: true}, "beside UserNamespace"},
		{process.Sandbox{Read: []string{"/nowhere"}}, "must exist"},
	} {
		pool := &process.Pool{Config: process.Config{Sandbox: &c.s}}
		closing(t, pool)
		if err := pool.Start(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want an error that says %q", c.s, err, c.says)
		}
	}
}

// ownView is what the thread of a task sees of itself without /proc.
type ownView struct {
	Nice int
	CPUs int
}

var lookAtThread = tandem.NewTask("look at a thread", func(ctx context.Context, _ int) (v ownView, err error) {
	slog.InfoContext(ctx, "looked from inside")
	fmt.Fprintln(os.Stderr, "a line from inside")
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return v, err
	}
	var set unix.CPUSet
	err = unix.SchedGetaffinity(0, &set)
	return ownView{20 - raw, set.Count()}, err
})

// TestSandboxBesideAll: what a Config can ask for beside a sandbox that closes the file
// system is kept there too.
func TestSandboxBesideAll(t *testing.T) {
	s := &process.Sandbox{NoFiles: true, NoNetwork: true, NoExec: true}
	sandboxed(t, s)
	leaveNothing(t)
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !set.IsSet(cpu) {
		cpu++
	}
	var log lockedBuffer
	c := process.Config{
		Sandbox: s, Nice: 2, CPUs: []int{cpu}, OpenFiles: 100,
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Prefix: true,
	}
	want := ownView{min(20-own+2, 19), 1}
	limits := tandem.Limits{Time: time.Minute, CPU: time.Minute, Output: 1 << 20}
	pool := &process.Pool{Workers: 1, Config: c, Limits: limits, MaxTasks: 1}
	defer pool.Close()
	for range 3 {
		if got, err := lookAtThread.On(pool).Call(t.Context(), 0); err != nil || got != want {
			t.Errorf("in a pool: %+v, %v, want %+v", got, err, want)
		}
	}
	c.Limits = limits
	h, err := process.Start(t.Context(), c, lookAtThread, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.Wait(t.Context()); err != nil || got != want {
		t.Errorf("in a process: %+v, %v, want %+v", got, err, want)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	for _, said := range []string{"looked from inside", "a line from inside"} {
		if n := strings.Count(log.String(), said); n != 4 {
			t.Errorf("the logger was told %q %d times, want 4:\n%s", said, n, log.String())
		}
	}
	if now, _ := unix.Getpriority(unix.PRIO_PROCESS, 0); now != own {
		t.Errorf("this process had priority %d and has %d", own, now)
	}
}
