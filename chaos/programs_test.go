//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"testing"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestPrograms: what has too little of something goes on with what it has.
func TestPrograms(t *testing.T) {
	for _, p := range []struct {
		name   string
		task   *tandem.Task[struct{}, int]
		config process.Config
	}{
		{"starving", starving, process.Config{OpenFiles: openFiles, Stderr: io.Discard}},
		{"crowded", crowded, process.Config{Processes: openFiles, Stderr: io.Discard}},
	} {
		h, err := process.Start(t.Context(), p.config, p.task, struct{}{})
		if err == nil {
			var n int
			n, err = h.Wait(t.Context())
			t.Logf("%s: there was room for %d", p.name, n)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			t.Logf("%s is left out here: %v", p.name, err)
		} else if err != nil && !noThread(err) {
			t.Errorf("%s: %v", p.name, err)
		}
	}
	if err := fullDisk(t.Context()); errors.Is(err, errors.ErrUnsupported) {
		t.Logf("no disk can be mounted here: %v", err)
	} else if err != nil {
		t.Errorf("full disk: %v", err)
	}
}

// TestOrphansAreSeen: a process of the run is known by its mark, this one is not meant.
func TestOrphansAreSeen(t *testing.T) {
	t.Setenv(markEnv, t.Name())
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	mark := markEnv + "=" + t.Name()
	if left := marked(mark); len(left) != 1 || left[0] != fmt.Sprint(cmd.Process.Pid, " sleep") {
		t.Errorf("marked: %q, want %d", left, cmd.Process.Pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if left := marked(mark); len(left) != 0 {
		t.Errorf("marked after its end: %q", left)
	}
}
