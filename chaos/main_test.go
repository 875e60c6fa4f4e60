//go:build linux

package main

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
)

var (
	length = flag.Duration("for", 6*time.Second, "how long to disturb")
	seed   = flag.Uint64("seed", 0, "replay the disturbances of this seed; 0 takes a new one")
)

func TestMain(m *testing.M) {
	suspendAnother()
	dieAtBirth()
	tandem.Init()
	fillDiskOfOurs()
	os.Exit(m.Run())
}

// TestChaos is the command for a few seconds.
func TestChaos(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	broken, samples := run(t.Context(), t.Output(), options{length: *length, seed: *seed})
	for _, what := range broken {
		t.Error(what)
	}
	if len(samples) == 0 {
		t.Error("nothing was sampled")
	}
	if t.Failed() {
		t.Logf("again with: go test ./chaos -for %v -seed %d", *length, *seed)
	}
}
