package process_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A worker leaves in the orderly way, so that a binary built with -cover writes
// what ran in its workers, too.
func TestCoverageOfWorkers(t *testing.T) {
	leaveNothing(t)
	const pkg = "github.com/tandem-go/tandem/process/testdata/covered"
	cmd := exec.Command(build(t, "covered", "-cover", "-coverpkg="+pkg))
	dir := t.TempDir()
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "1 2 3\n" {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("go", "tool", "covdata", "func", "-i="+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(out)) { // file:line: function percent
		if f := strings.Fields(line); len(f) == 3 {
			got[f[1]] = f[2]
		}
	}
	for name, want := range map[string]string{
		"onlyInPool": "100.0%", "onlyInProcess": "100.0%", "onlyInParent": "100.0%", "nowhere": "0.0%",
	} {
		if got[name] != want {
			t.Errorf("%s is covered %q, want %s", name, got[name], want)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
