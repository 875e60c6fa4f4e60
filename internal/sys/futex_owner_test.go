//go:build linux

package sys_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/sys"
)

// TestProcessGone: a process is gone when it was killed, before its parent has asked
// for it, and not while it lives.
func TestProcessGone(t *testing.T) {
	cmd := exec.Command("cat")
	if _, err := cmd.StdinPipe(); err != nil { // cat reads until it is killed
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	start, err := sys.ProcessStart(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if sys.ProcessGone(cmd.Process.Pid, start, 0) || sys.ProcessGone(cmd.Process.Pid, start, time.Millisecond) {
		t.Error("a process that lives is said to be gone")
	}
	if !sys.ProcessGone(cmd.Process.Pid, start+1, 0) {
		t.Error("one of the same id that began at another time is said to live")
	}
	cmd.Process.Kill()
	if !sys.ProcessGone(cmd.Process.Pid, start, 10*time.Second) {
		t.Error("a process that was killed is not gone in 10 s")
	}
	cmd.Wait()
	if !sys.ProcessGone(cmd.Process.Pid, start, 0) {
		t.Error("a process that was waited for is not gone")
	}
}
