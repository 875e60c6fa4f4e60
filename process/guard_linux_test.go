package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/internal/cgroup"
	"github.com/tandem-go/tandem/internal/cgroup/cgrouptest"
	"github.com/tandem-go/tandem/process"
)

// containerLimit is the memory of the container of a test.
const containerLimit = 320 << 20

// greedy is a program that waits until it is in its container, and then has tasks take
// all memory. It prints what became of them, and that it is still there.
func greedy(storms ...string) func() {
	return func() {
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			panic(err)
		}
		limits := tandem.Limits{Time: 20 * time.Second, Grace: -1} // of a storm that nothing ends
		pool := &process.Pool{Workers: 2, Limits: limits, Config: process.Config{Stderr: io.Discard}}
		defer pool.Close()
		ctx := context.Background()
		for range 3 {
			var calls []*tandem.Future[int]
			for _, how := range storms {
				calls = append(calls, storming.On(pool).Go(ctx, how))
			}
			for _, f := range calls {
				_, err := f.Wait(ctx)
				fmt.Println(errors.Is(err, tandem.ErrOOMKilled), err)
			}
			if n, err := double.On(pool).Call(ctx, 4); n != 8 || err != nil {
				panic(err)
			}
		}
		fmt.Println(pool.Stats().Limits)
		fmt.Println("alive")
	}
}

var (
	sheltered = program("greedy in a container", greedy("Go heap", "small children"))
	guarded   = program("greedy in a container, guarded", greedy("Go heap", "anonymous mmap"))
	unguarded = program("greedy in a container without a guard", func() { process.Unguarded(); greedy("Go heap")() })
)

// inContainer runs a program in a group with a limit of memory. killed says that the
// kernel had to kill there.
func inContainer(t *testing.T, program string, env ...string) (out string, killed bool) {
	t.Helper()
	place, err := cgroup.Find(cgroup.Memory, true)
	if err != nil {
		cgrouptest.Skip(t, err, cgroup.Memory)
	}
	if raceEnabled {
		t.Skip("a race build does not fit into the container")
	}
	if place.Version() == 2 {
		t.Skip("a group of version 2 that is killed as a whole is no container for a test")
	}
	g, err := cgroup.Make(cgroup.Bounds{Memory: containerLimit}, place, cgroup.Place{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	cmd := command(t, program)
	cmd.Env = append(cmd.Env, env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.Admit(cmd.Process.Pid); err != nil {
		t.Error(err)
	}
	fmt.Fprintln(in, "go")
	in.Close()
	err = cmd.Wait()
	if !strings.HasSuffix(text.String(), "alive\n") || err != nil {
		t.Errorf("the program has ended with %v:\n%s", err, &text)
	}
	killed, _ = g.Killed()
	return text.String(), killed
}

// TestContainer: in a container with a limit of memory, tasks without a limit that take
// all of it end, by many small children too, and the program and its other tasks go on:
// the kernel has nothing to kill but in the group of all workers.
func TestContainer(t *testing.T) {
	leaveNothing(t)
	out, killed := inContainer(t, sheltered)
	t.Logf("the kernel had to kill in the container itself: %v\n%s", killed, out)
	if n := strings.Count(out, "true "); n != 6 || killed || !strings.Contains(out, "the container's memory (320 MiB, the limit of ") {
		t.Errorf("%d of 6 tasks were ended for the container's memory", n)
	}
}

// TestContainerReadOnly: where no groups can be made, the guard ends what takes most.
// It may come late on a busy machine, and then the kernel has come first.
func TestContainerReadOnly(t *testing.T) {
	leaveNothing(t)
	out, killed := inContainer(t, guarded, "TANDEMDEBUG=nogroups")
	t.Logf("the kernel had to kill in the container itself: %v\n%s", killed, out)
	if n := strings.Count(out, "true "); n != 6 || !strings.Contains(out, "it is looked at every 1ms") {
		t.Errorf("%d of 6 tasks were ended for the container's memory", n)
	}
}

// TestContainerKilled: when the kernel kills for the container's limit, the error says
// which that is.
func TestContainerKilled(t *testing.T) {
	leaveNothing(t)
	out, killed := inContainer(t, unguarded)
	t.Logf("the kernel had to kill: %v\n%s", killed, out)
	if n := strings.Count(out, "used up"); n != 3 || !killed || !strings.Contains(out, "the container's memory (320 MiB, the limit of ") {
		t.Errorf("%d of 3 deaths name the container's limit", n)
	}
}

// TestGuardVersion2: the guard reads the files of version 2, kills the worker that has
// most, and nobody while there is enough, or while it is the program that has it.
func TestGuardVersion2(t *testing.T) {
	leaveNothing(t)
	dir := t.TempDir()
	put := func(name, text string) { write(t, filepath.Join(dir, name), text) }
	put("memory.max", fmt.Sprintln(containerLimit))
	put("memory.current", "100000000\n")
	put("memory.stat", "inactive_file 0\nactive_file 0\n")
	c, ok := cgroup.Membership{Two: dir}.Ceiling()
	if !ok || c.Bytes != containerLimit {
		t.Fatalf("%+v", c)
	}
	t.Cleanup(process.WithoutGroups()) // after the pool is closed
	t.Cleanup(process.Guard(&c))
	pool := &process.Pool{Workers: 2, Config: process.Config{Stderr: io.Discard}}
	closing(t, pool)
	if err := pool.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Both workers are busy, and one of them has 100 MiB.
	ctx, cancel := context.WithCancel(t.Context())
	small := laden.On(pool).Go(ctx, 1)
	large := laden.On(pool).Go(ctx, 100)
	eventually(t, "one has its 100 MiB", func() bool {
		return slices.ContainsFunc(process.Children(), func(p *process.Process) bool { return residentOf(p.PID()) > 100<<20 })
	})
	put("memory.current", fmt.Sprintln(containerLimit-(1<<20)))
	_, err := large.Wait(t.Context())
	var crash *tandem.CrashError
	if !errors.Is(err, tandem.ErrOOMKilled) || !errors.As(err, &crash) || !strings.Contains(crash.Reason, "the container's memory (320 MiB") {
		t.Errorf("the large one: %v", err)
	}
	put("memory.current", "100000000\n")
	cancel()
	if _, err := small.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("the small one: %v", err)
	}
}

// TestGuardReadsAgain: that the files could not be read once, as when this program had no
// descriptor left, does not end the guard.
func TestGuardReadsAgain(t *testing.T) {
	leaveNothing(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "memory.max"), fmt.Sprintln(containerLimit))
	write(t, filepath.Join(dir, "memory.stat"), "inactive_file 0\nactive_file 0\n")
	c, ok := cgroup.Membership{Two: dir}.Ceiling()
	if !ok {
		t.Fatal("no ceiling")
	}
	t.Cleanup(process.WithoutGroups())
	t.Cleanup(process.Guard(&c))
	pool := &process.Pool{Workers: 1, Config: process.Config{Stderr: io.Discard}, Limits: tandem.Limits{Grace: -1}}
	closing(t, pool)
	if err := pool.Start(t.Context()); err != nil { // the guard has looked by then
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	large := laden.On(pool).Go(ctx, 100)
	write(t, filepath.Join(dir, "memory.current"), fmt.Sprintln(containerLimit-(1<<20)))
	if _, err := large.Wait(t.Context()); !errors.Is(err, tandem.ErrOOMKilled) {
		t.Errorf("%v, want ErrOOMKilled", err)
	}
}

// laden takes so many MiB and keeps them until it is cancelled.
var laden = tandem.NewTask("laden", func(ctx context.Context, mib int) (int, error) {
	b := make([]byte, mib<<20)
	touch(b)
	<-ctx.Done()
	return len(b), context.Cause(ctx)
})
