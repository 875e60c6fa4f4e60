//go:build linux && cgo

package main

import (
	"errors"
	"io"
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
	for _, piece := range []int{100, 4 << 10, 1 << 20, 8 << 20} {
		_, err := storm.On(pool).Call(t.Context(), gust{piece, 4 * limit})
		if raceBuild && errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		var crash *tandem.CrashError
		if !errors.Is(err, tandem.ErrMemory) || !errors.As(err, &crash) {
			t.Errorf("pieces of %d bytes: %v, want ErrMemory", piece, err)
			continue
		}
		t.Logf("pieces of %9d bytes: %s", piece, crash.Reason)
	}
	if _, err := storm.On(pool).Call(t.Context(), gust{1 << 20, limit / 4}); err != nil {
		t.Errorf("below the limit: %v", err)
	}
}
