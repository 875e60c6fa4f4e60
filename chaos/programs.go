//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// The programs here have pools of their own, in a process that has little of something.

// starving has no descriptor left, and then has some again.
var starving = tandem.NewTask("starving", func(ctx context.Context, _ struct{}) (int, error) {
	pool := &process.Pool{Workers: 2}
	if err := pool.Start(ctx); err != nil {
		return 0, err
	}
	n, free, err := exhaust()
	if !errors.Is(err, syscall.EMFILE) {
		free()
		return n, errors.Join(fmt.Errorf("after %d files: %w", n, err), pool.Close())
	}
	err = goesOn(ctx, pool, free)
	return n, errors.Join(err, pool.Close())
})

// crowded may not have another process.
var crowded = tandem.NewTask("crowded", func(ctx context.Context, _ struct{}) (int, error) {
	pool := &process.Pool{Workers: 2}
	if err := pool.Start(ctx); err != nil {
		return 0, err
	}
	var crowd []*exec.Cmd
	free := func() {
		for _, cmd := range crowd {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	for {
		cmd := exec.Command("sleep", "1000")
		if cmd.Start() != nil {
			err := goesOn(ctx, pool, free)
			return len(crowd), errors.Join(err, pool.Close())
		}
		crowd = append(crowd, cmd)
	}
})

// goesOn: where nothing can be started any more, a new pool says that it cannot start, and
// one that is there serves, also when one of its workers is killed. When there is enough
// again, by free, both are whole.
func goesOn(ctx context.Context, pool *process.Pool, free func()) error {
	err := errors.Join(serves(ctx, pool), poolRefused(ctx, 1))
	if children := process.Children(); err == nil && len(children) > 0 {
		syscall.Kill(children[0].PID(), syscall.SIGKILL) // a pidfd would take a descriptor
		err = serves(ctx, pool)
	}
	free()
	if err != nil {
		return err
	}
	j := &judge{}
	if j.whole(pool); len(j.verdict()) > 0 {
		return errors.New(j.verdict()[0])
	}
	return errors.Join(serves(ctx, pool), poolWorks(ctx))
}

// serves calls a pool some times. A call may have been given to a worker that is killed.
func serves(ctx context.Context, pool *process.Pool) error {
	for n := range 50 {
		got, err := double.On(pool).Call(ctx, n)
		if crash, ok := errors.AsType[*tandem.CrashError](err); ok && crash.Signal == "killed" {
			continue
		}
		if err != nil || got != 2*n {
			return fmt.Errorf("the double of %d is %d, %w", n, got, err)
		}
	}
	return nil
}

// noThread reports the death of a Go program that needed a thread and got none,
// which the runtime does not survive. It must come to the parent as that.
func noThread(err error) bool {
	crash, ok := errors.AsType[*tandem.CrashError](err)
	return ok && strings.Contains(crash.Report+strings.Join(crash.Stderr, "\n"), "failed to create new OS thread")
}

func poolRefused(ctx context.Context, workers int) error {
	pool := &process.Pool{Workers: workers}
	defer pool.Close()
	if pool.Start(ctx) == nil {
		return errors.New("a pool has started with nothing to start it from")
	}
	return nil
}

func poolWorks(ctx context.Context) error {
	pool := &process.Pool{Workers: 1}
	got, err := double.On(pool).Call(ctx, 21)
	if err == nil && got != 42 {
		err = fmt.Errorf("the double of 21 is %d", got)
	}
	return errors.Join(err, pool.Close())
}

var double = tandem.NewTask("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
