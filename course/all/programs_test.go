package all_test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/course/all"
)

// says is what each program prints, whatever else it prints.
var says = map[string][]string{
	"01-schedule":   {"one core, 3 tasks", "as many tasks as cores: parallel"},
	"02-sequential": {"this is a process1", "time limit"},
	"03-process":    {"parent starts...--", "this is a process 1--", "this is process 2--python--"},
	"04-join":       {"parent starts...", "child starts...", "deadline exceeded - alive: true", "child ends...", "parent ends... the child's result <nil>"},
	"05-globals":    {"child: num 101 plain 101", "grandchild: num 101 plain 100", "parent: num 102 plain 100 <nil>"},
	"06-pool":       {"parent starts...", "child 3 ends...took", "closed", "parent ends... <nil>"},
	"07-thread":     {"main thread MainThread starts...", "thread Thread-1 (run) starts...", "main thread MainThread ends... 1 <nil>"},
	"08-levels":     {"go statement: 49", "thread: squares", "no square root"},
	"09-sharing":    {"num ="},
	"10-mutex":      {"num = 0 <nil>\nnum = 0 <nil>"},
	"11-coroutine":  {"A step 0\nB step 0\nC step 0\nA step 1", "results [6 9 5]", "num = 0 <nil>"},
	"12-hybrid":     {"process ", "8 tasks of 1 s took 1", "<nil>"},
	"13-crash":      {"[1 4 0 16 25]", "died: stack overflow"},
	"14-timeout":    {`["done" "" "done" "done"]`, "a timeout: true after 3s"},
	"15-anywhere":   {"processes of threads [168 2262 25997 33860] <nil>"},
	"16-owner":      {"the owner died: true", "[1 2]\n<nil>"},
}

// TestPrograms builds every main.go, runs it as a reader would, and looks at
// what it prints.
func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	var folders []string
	for _, l := range all.Lessons {
		folders = append(folders, "../"+l.Folder)
		if n := strings.Count(l.Source(), "\n"); n == 0 || n > 40 {
			t.Errorf("%s/main.go has %d lines, want 1 to 40", l.Folder, n)
		}
		if strings.Contains(l.Source(), "tandem/internal/") {
			t.Errorf("%s/main.go imports an internal package: nobody could copy it", l.Folder)
		}
	}
	if out, err := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, folders...)...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("run", func(t *testing.T) {
		for _, l := range all.Lessons {
			t.Run(l.Folder, func(t *testing.T) {
				t.Parallel() // they mostly sleep
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				var out bytes.Buffer
				c := exec.CommandContext(ctx, filepath.Join(dir, l.Folder))
				c.Stdout, c.Stderr = &out, &out
				if err := c.Run(); err != nil {
					t.Errorf("%v", err)
				}
				for _, want := range says[l.Folder] {
					if !strings.Contains(out.String(), want) {
						t.Errorf("it does not say %q", want)
					}
				}
				if t.Failed() {
					t.Logf("it printed:\n%s", out.String())
				}
			})
		}
	})
}
