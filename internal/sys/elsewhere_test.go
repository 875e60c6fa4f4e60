//go:build linux

package sys

import (
	"runtime"
	"slices"
	"testing"
)

// TestElsewhere: after a move the thread is on another CPU and may use the same ones as
// before; with one CPU there is no move.
func TestElsewhere(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its affinity
	source := FindCPUSource()
	before, err := Affinity(0)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 { // another program may want the CPUs at any moment
		cpu := source.CPU()
		if !Elsewhere(cpu) {
			continue
		}
		if len(before) < 2 {
			t.Error("moved, with one CPU")
		}
		break
	}
	if after, err := Affinity(0); err != nil || !slices.Equal(after, before) {
		t.Errorf("it may use %v after a move, %v before (%v)", after, before, err)
	}
	if err := SetAffinity(0, before[:1]); err != nil {
		t.Fatal(err)
	}
	if Elsewhere(before[0]) || Elsewhere(-1) {
		t.Error("moved where there is no other CPU")
	}
}

// TestRunnable: this thread runs.
func TestRunnable(t *testing.T) {
	if n, ok := runnable(); !ok || n < 1 {
		t.Errorf("%d threads run: %v", n, ok)
	}
}
