package process_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

var orphansFlag = flag.Int("orphans", 1, "how often TestOrphans kills a program with 100 workers")

// crowdSize is how many workers the program has, each with one program of its own.
const crowdSize = 100

// crowdMember starts a program that arms nothing against the end of its parents, as
// anybody does with os/exec, and stays.
var crowdMember = tandem.NewTask("crowd member", func(context.Context, struct{}) (struct{}, error) {
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		return struct{}{}, err
	}
	// One line each, and the second only when the first is there.
	if err := errors.Join(enroll(sleep.Process.Pid), enroll(os.Getpid())); err != nil {
		return struct{}{}, err
	}
	select {}
})

var crowdProgram = program("crowd", func() {
	pool := &process.Pool{Workers: crowdSize}
	for range crowdSize {
		crowdMember.On(pool).Go(context.Background(), struct{}{})
	}
	if err := pool.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
})

// TestOrphans: kill -9 of a program with 100 workers, whose tasks have started 100
// programs by os/exec: all 200 are gone, and the warden, too. The goal is one second;
// how long it took is printed, and asserted with an allowance for a busy machine.
func TestOrphans(t *testing.T) {
	leaveNothing(t)
	const (
		goal      = time.Second
		allowance = 9 * time.Second
	)
	var took []time.Duration
	for round := range *orphansFlag {
		f := found(t, command(t, crowdProgram))
		f.gather(t, 2*crowdSize)
		pid := f.cmd.Process.Pid
		for _, child := range childrenOf(pid) { // the workers again, and the warden
			if s, ok := statOf(child); ok && !slices.ContainsFunc(f.below, func(b stat) bool { return b.pid == s.pid }) {
				f.below = append(f.below, s)
			}
		}
		if n := len(f.below); n != 2*crowdSize+1 {
			t.Fatalf("round %d: %d processes, want %d workers, as many programs and the warden", round, n, crowdSize)
		}
		start := time.Now()
		kill(t, pid)
		f.gone(t)
		took = append(took, time.Since(start))
		err := f.cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: the program ended with %v, want signal killed", round, err)
		}
	}
	slices.Sort(took)
	n := len(took)
	in := n
	if i := slices.IndexFunc(took, func(d time.Duration) bool { return d > goal }); i >= 0 {
		in = i
	}
	at := func(q float64) time.Duration { return took[int(q*float64(n-1))].Round(100 * time.Microsecond) }
	t.Logf("all %d processes gone within %v in %d of %d rounds: after %v at the least, %v half, %v nine of ten, %v at the most",
		2*crowdSize+1, goal, in, n, at(0), at(0.5), at(0.9), at(1))
	if most := took[n-1]; most > goal+allowance {
		t.Errorf("once it took %v", most)
	}
}
