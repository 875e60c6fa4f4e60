//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"

	"github.com/tandem-go/tandem"
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
	"segfault": {func() (int, error) {
		if err := syscall.Kill(os.Getpid(), syscall.SIGSEGV); err != nil {
			return 0, err
		}
		select {} // until it comes: an answer would leave it to the next task
	}, func(_ int, err error) bool {
		return crashedOf("", -2)(0, err) && !errors.Is(err, tandem.ErrMemory)
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
