package tandemtest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tandem-go/tandem/tandemtest"
)

// TestPlaceInline runs the suite on process pools whose tasks run in this process, in
// this binary started again with TANDEM_PLACE=inline.
func TestPlaceInline(t *testing.T) {
	if os.Getenv("TANDEM_PLACE") == "inline" {
		tandemtest.Run(t, processes(2), tandemtest.Capabilities{Copies: true, Handles: true, Bounded: true})
		return
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The suite wants a place without hard stops to refuse what they are for. This one
	// takes it: a program that is debugged must not need other limits.
	// Values of a context do not cross, as in a process, though variables are shared.
	const hard = "TestPlaceInline/Contexts/meta_and_values|TestPlaceInline/Limits/(time|memory_of_a_call)|TestPlaceInline/Deaths/(a_hard_stop.*|stopped_in_.*)"
	cmd := exec.Command(path, "-test.run=^TestPlaceInline$", "-test.v", "-test.timeout=60s", "-test.skip="+hard)
	cmd.Env = append(os.Environ(), "TANDEM_PLACE=inline")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "tandem: TANDEM_PLACE=inline: "); n != 1 {
		t.Errorf("it was said %d times that tasks run in this process, want once", n)
	}
	if n := strings.Count(string(out), "--- PASS: "); n < 20 {
		t.Errorf("only %d tests passed: nothing was tested\n%s", n, out)
	}
}
