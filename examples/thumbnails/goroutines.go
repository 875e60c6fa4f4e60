package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// program is a whole program that makes thumbnails on goroutines: the same task,
// another place. It prints a line for each file that is settled and returns why
// the file at index Hostile failed.
var program = tandem.NewTask("program", func(ctx context.Context, in Program) (reason string, err error) {
	for it := range thumbnail.On(tandem.Goroutines(in.Width)).Unordered(ctx, slices.Values(in.Paths)) {
		switch {
		case it.Index < 0:
			return "", it.Err
		case it.Index == in.Hostile && it.Err != nil:
			reason = it.Err.Error()
		}
		fmt.Println("settled")
	}
	return reason, nil
})

// Program is the argument of program.
type Program struct {
	Paths   []string
	Hostile int // index in Paths
	Width   int
}

// demonstrate runs program once for each hostile file, put in the middle of the
// good ones, and says what became of it. Each run is a process of its own, with
// as much memory as all workers had together, so that this one survives.
func demonstrate(ctx context.Context, o options, pictures []picture, log *os.File) error {
	var traps, paths []string
	for _, p := range pictures {
		if p.hostile {
			traps = append(traps, p.path)
		} else {
			paths = append(paths, p.path)
		}
	}
	if len(traps) == 0 {
		return errors.New("nothing to show without hostile files; use -hostile")
	}
	_, err := thumbnail.On(tandem.Goroutines(o.workers)).Limit(o.limits).Call(ctx, paths[0])
	fmt.Println("The limits are refused on goroutines, which cannot keep them:")
	for _, line := range wrap(err.Error(), 76) {
		fmt.Println("   ", line)
	}
	limits := tandem.Limits{Time: o.limits.Time + 5*time.Second, Grace: -1, Memory: o.limits.Memory * int64(o.workers)}
	fmt.Printf("\nWithout them, %d goroutines, one process, %d files and one hostile file:\n\n", o.workers, len(paths))
	fmt.Printf("%-21s %-47s %s\n%s\n", "hostile file", "what became of the program", "settled", strings.Repeat("-", 80))
	for _, trap := range traps {
		in := Program{Paths: slices.Insert(slices.Clone(paths), len(paths)/2, trap), Hostile: len(paths) / 2, Width: o.workers}
		var settled lineCounter
		h, err := process.Start(ctx, process.Config{Limits: limits, Stdout: &settled, Stderr: log}, program, in)
		if err != nil {
			return err
		}
		reason, err := h.Wait(context.Background()) // ctx owns the work; waiting for its end is short
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name := filepath.Base(trap)
		for i, line := range wrap(fate(reason, err, limits), 47) {
			if i == 0 {
				fmt.Printf("%-21s %-47s %3d/%d\n", name, line, settled.Load(), len(in.Paths))
			} else {
				fmt.Printf("%-21s %s\n", "", line)
			}
		}
	}
	fmt.Println("\nWith -place processes each of them costs its own thumbnail and nothing else.")
	return nil
}

// fate says what became of a program.
func fate(reason string, err error, limits tandem.Limits) string {
	crash, crashed := errors.AsType[*tandem.CrashError](err)
	switch {
	case crashed:
		return "died: " + crash.Reason
	case errors.Is(err, tandem.ErrTimeout):
		return fmt.Sprintf("never ended; killed from outside after %v", limits.Time)
	case err != nil:
		return "failed: " + err.Error()
	case reason == "":
		return "went on; the file did no harm"
	}
	return "went on; the file failed: " + reason
}

// lineCounter is a Writer that counts lines.
type lineCounter struct{ atomic.Int64 }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.Add(int64(bytes.Count(p, []byte{'\n'})))
	return len(p), nil
}
