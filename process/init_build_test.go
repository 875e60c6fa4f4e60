package process_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// build makes the program in testdata/name, with flags of go build, and returns
// its path.
func build(t *testing.T, name string, flags ...string) string {
	t.Helper()
	golang, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to build testdata/" + name)
	}
	path := filepath.Join(t.TempDir(), name)
	args := append([]string{"build", "-o", path}, flags...)
	if out, err := exec.Command(golang, append(args, "./testdata/"+name)...).CombinedOutput(); err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, out)
	}
	return path
}
