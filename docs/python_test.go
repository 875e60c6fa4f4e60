package docs_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// python finds an interpreter that really starts, the newest name first, and
// the minor version of Python 3 it is. None is no fault: Go is all that the
// tests of this repository need.
func python(t *testing.T) (path string, minor int) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the page's Python uses fork, which Windows does not have")
	}
	for _, name := range []string{"python3.14", "python3.13", "python3.12", "python3"} {
		out, err := exec.Command(name, "-c", "import sys; print(sys.version_info[1])").Output()
		if err != nil {
			continue
		}
		minor, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err == nil && minor >= 11 {
			return name, minor
		}
	}
	t.Skip("no Python 3.11 or later here")
	return "", 0
}

// TestPythonCode runs the Python column. A row that needs a later version
// says so by "(3.13)" in its name column; an older interpreter leaves it out.
func TestPythonCode(t *testing.T) {
	path, minor := python(t)
	type item struct{ Section, Name, Code string }
	var items []item
	for _, r := range rows(t) {
		if r.python == "" || strings.Contains(r.first, "(3.13)") && minor < 13 {
			continue
		}
		items = append(items, item{r.section, r.names[0], r.python})
	}
	list, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(t.TempDir(), "items.json")
	if err := os.WriteFile(input, list, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "testdata/run.py", input)
	cmd.WaitDelay = time.Second // children of a killed interpreter may hold its output
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
	if want := strconv.Itoa(len(items)) + " passed"; !strings.Contains(string(out), want) {
		t.Fatalf("want %q, got\n%s", want, out)
	}
}

// TestNamesAreComplete: the committed list is what the interpreter says, when it
// is of the version that the list is of.
func TestNamesAreComplete(t *testing.T) {
	path, minor := python(t)
	if minor != 13 {
		t.Skipf("the list is of Python 3.13, this is 3.%d", minor)
	}
	program := `import importlib
for m in "multiprocessing threading concurrent.futures asyncio queue".split():
    for n in importlib.import_module(m).__all__: print(m, n)`
	out, err := exec.Command(path, "-c", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	want := publicNames(t)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("testdata/names.txt has\n%q\nPython has\n%q", want, got)
	}
}
