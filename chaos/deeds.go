//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// deed is what a task does to its worker, by name.
var deed = tandem.NewTask("deed", func(_ context.Context, name string) (int, error) { return deeds[name].do() })

// deeds and what their caller must be told. Each may also be ended by its time
// limit, on a machine that is busy.
var deeds = map[string]struct {
	do   func() (int, error)
	fits func(n int, err error) bool
}{
	"memory":      {takeMemory, func(_ int, err error) bool { return errors.Is(err, tandem.ErrMemory) }},
	"descriptors": {takeDescriptors, func(n int, err error) bool { return err == nil && n < openFiles }},
	"disk":        {fillDisk, func(_ int, err error) bool { return errors.Is(err, syscall.ENOSPC) }},
	"flood":       {flood, func(_ int, err error) bool { return err == nil }},
	"spin": {func() (int, error) {
		for {
		}
	}, func(int, error) bool { return false }},
	"overflow": {func() (int, error) { return overflow(1), nil }, crashedOf("", -2)},
	"exit":     {func() (int, error) { os.Exit(3); return 0, nil }, crashedOf("", 3)},
	"segfault": {func() (int, error) { return 0, syscall.Kill(os.Getpid(), syscall.SIGSEGV) }, func(_ int, err error) bool {
		return err == nil || crashedOf("", -2)(0, err) // the signal may come after the answer
	}},
	"panic": {func() (int, error) { panic("chaos") }, func(_ int, err error) bool {
		_, ok := errors.AsType[*tandem.PanicError](err)
		return ok
	}},
}

// crashedOf fits a CrashError with that exit code; -2 is any.
func crashedOf(signal string, code int) func(int, error) bool {
	return func(_ int, err error) bool {
		crash, ok := errors.AsType[*tandem.CrashError](err)
		return ok && (code == -2 || crash.ExitCode == code)
	}
}

// openFiles is how many descriptors those have who are to run out of them.
const openFiles = 64

func takeMemory() (int, error) {
	var all [][]byte
	for {
		b := make([]byte, 4<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
}

// takeDescriptors opens files until there are no more, and counts them.
func takeDescriptors() (int, error) {
	n, free, err := exhaust()
	free()
	if !errors.Is(err, syscall.EMFILE) {
		return n, fmt.Errorf("after %d files: %w", n, err)
	}
	return n, nil
}

func exhaust() (n int, free func(), err error) {
	var files []*os.File
	free = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return len(files), free, err
		}
		files = append(files, f)
	}
}

func fillDisk() (int, error) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Write(make([]byte, 4096))
}

func flood() (int, error) {
	line := strings.Repeat("flood ", 20) + "\n"
	for n := range 10_000 {
		if _, err := os.Stdout.WriteString(line); err != nil {
			return n, err
		}
	}
	return 0, nil
}

func overflow(n int) int { return overflow(n+1) + 1 }

// scribbling writes random bytes over all memory that its process shares with its
// parent, as C code with a wild pointer does.
var scribbling = tandem.NewTask("scribbling", func(_ context.Context, seed uint64) (int, error) {
	r := rand.New(rand.NewPCG(seed, 3))
	entries, err := os.ReadDir("/proc/self/fd")
	for range 1 + r.IntN(20) {
		for _, e := range entries {
			scribble(r, "/proc/self/fd/"+e.Name())
		}
	}
	return 0, err
})

func scribble(r *rand.Rand, path string) {
	if target, _ := os.Readlink(path); !strings.HasPrefix(target, "/memfd:tandem") {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return
	}
	garbage := make([]byte, 1+r.IntN(4096))
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	f.WriteAt(garbage, r.Int64N(info.Size()))
}

// starving is a program that has no descriptor left and wants a pool, in a process
// of its own; and then has some again.
var starving = tandem.NewTask("starving", func(ctx context.Context, _ struct{}) (int, error) {
	n, free, err := exhaust()
	if !errors.Is(err, syscall.EMFILE) {
		free()
		return n, fmt.Errorf("after %d files: %w", n, err)
	}
	err = poolRefused(ctx, 1)
	free()
	if err == nil {
		err = poolWorks(ctx)
	}
	return n, err
})

// crowded is a program that may not have another process. It has had a pool before:
// what the Go runtime and this library make once is there.
var crowded = tandem.NewTask("crowded", func(ctx context.Context, _ struct{}) (int, error) {
	if err := poolWorks(ctx); err != nil {
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
		if err := cmd.Start(); err != nil {
			err = poolRefused(ctx, 1)
			free()
			if err == nil {
				err = poolWorks(ctx)
			}
			return len(crowd), err
		}
		crowd = append(crowd, cmd)
	}
})

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
