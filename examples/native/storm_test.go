//go:build linux && cgo

package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestStorm: C code that takes memory without looking whether it gets it dies of its
// pool's limit, by small pieces and by large ones, and the error says so; what stays
// below the limit is done.
func TestStorm(t *testing.T) {
	const limit = 256 << 20
	pool := &process.Pool{Workers: 1, Limits: tandem.Limits{Memory: limit}, Config: process.Config{Stderr: io.Discard}}
	defer pool.Close()
	pieces, below := []int{100, 4 << 10, 1 << 20, 8 << 20}, limit/4
	group := strings.Contains(pool.Stats().Limits, "memory cgroup")
	if group { // nothing is refused that is not used: stacks of threads, large pieces
		pieces, below = append(pieces, 100<<20), limit*3/4
	}
	for _, piece := range pieces {
		_, err := storm.On(pool).Call(t.Context(), gust{piece, 4 * limit})
		if raceBuild && errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		var crash *tandem.CrashError
		if !errors.Is(err, tandem.ErrMemory) || !errors.As(err, &crash) {
			t.Errorf("pieces of %d bytes: %v, want ErrMemory", piece, err)
			continue
		}
		if group && crash.Reason != "out of memory: Limits.Memory is 256 MiB" {
			t.Errorf("pieces of %d bytes: it was guessed: %s", piece, crash.Reason)
		}
		t.Logf("pieces of %9d bytes: %s", piece, crash.Reason)
	}
	if _, err := storm.On(pool).Call(t.Context(), gust{1 << 20, below}); err != nil {
		t.Errorf("below the limit: %v", err)
	}
}
