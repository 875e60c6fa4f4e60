// Tests of the pages in this folder. docs/from-python.md is checked from three
// sides: it names every public name of the Python modules, its Go code is code
// that ran in these tests, and its Python code runs where a Python is.
package docs_test

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Go code is written once, in the tests here, between the comments
// "// page: NAME" and "// end"; with -update it is copied into the page.
var update = flag.Bool("update", false, "write the Go code of the tests into from-python.md")

const fromPython = "from-python.md"

// row is one line of a table of the page.
type row struct {
	line    int
	section string   // the module: "multiprocessing"
	first   string   // the name column as it stands
	names   []string // the names in it
	python  string
	golang  string
	status  string
}

// statuses begin the last column; what follows says how, or why not.
var statuses = []string{"have", "better", "Go has it", "not offered", "planned"}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	baseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*`)
)

// rows reads the tables of the page that have four columns.
func rows(t *testing.T) (list []row) {
	t.Helper()
	text, err := os.ReadFile(fromPython)
	if err != nil {
		t.Fatal(err)
	}
	section := ""
	for i, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
		}
		cells := splitRow(line)
		if len(cells) != 4 || cells[0] == "Name" || strings.Trim(cells[0], "-") == "" {
			continue
		}
		r := row{line: i + 1, section: section, first: cells[0], status: cells[3], python: code(cells[1]), golang: code(cells[2])}
		for _, m := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
			r.names = append(r.names, m[1])
		}
		list = append(list, r)
	}
	if len(list) < 100 {
		t.Fatalf("read only %d rows of %s", len(list), fromPython)
	}
	return list
}

// splitRow cuts a table row at its bars; a bar in code is written \|.
func splitRow(line string) []string {
	if !strings.HasPrefix(line, "| ") || !strings.HasSuffix(line, " |") {
		return nil
	}
	cells := strings.Split(strings.ReplaceAll(line[2:len(line)-2], `\|`, "\x00"), " | ")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))
	}
	return cells
}

// code joins the code spans of a cell, one a line.
func code(cell string) string {
	var lines []string
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		lines = append(lines, m[1])
	}
	return strings.Join(lines, "\n")
}

// cell is the inverse of code: at least one column wide, so that rows stay rows.
func cell(code string) string {
	if code == "" {
		return "–"
	}
	var spans []string
	for line := range strings.SplitSeq(code, "\n") {
		spans = append(spans, "`"+strings.ReplaceAll(line, "|", `\|`)+"`")
	}
	return strings.Join(spans, "<br>")
}

// snippets collects the marked code of the test files by its name.
func snippets(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, lines := "", []string(nil)
		for s := bufio.NewScanner(strings.NewReader(string(text))); s.Scan(); {
			line := strings.TrimSpace(s.Text())
			switch start, ok := strings.CutPrefix(line, "// page: "); {
			case ok:
				name, lines = start, nil
			case line == "// end" && name != "":
				if found[name] != "" {
					t.Errorf("%s: the code for %q is there twice", file, name)
				}
				found[name], name = strings.Join(lines, "\n"), ""
			case name != "":
				lines = append(lines, line)
			}
		}
		if name != "" {
			t.Errorf("%s: the code for %q has no end", file, name)
		}
	}
	return found
}

// TestGoCode: the Go code of each row is the code that these tests run.
func TestGoCode(t *testing.T) {
	code := snippets(t)
	if *update {
		writeGoCode(t, code)
	}
	used := map[string]bool{}
	for _, r := range rows(t) {
		key := r.section + " " + r.names[0]
		used[key] = true
		if want := code[key]; r.golang != want {
			t.Errorf("%s:%d: the Go code for %s is\n%s\nbut the test runs\n%s\n(go test ./docs -update writes it)", fromPython, r.line, key, r.golang, want)
		}
		if lines := strings.Count(r.golang, "\n") + 1; lines > 3 {
			t.Errorf("%s:%d: %d lines of Go for %s: at most 3", fromPython, r.line, lines, key)
		}
		if r.golang == "" && (strings.HasPrefix(r.status, "have") || strings.HasPrefix(r.status, "better")) {
			t.Errorf("%s:%d: %s says %q and shows no Go", fromPython, r.line, key, r.status)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(code)) {
		if !used[name] {
			t.Errorf("code for %q, but %s has no such row", name, fromPython)
		}
	}
}

// writeGoCode fills the third column.
func writeGoCode(t *testing.T, code map[string]string) {
	t.Helper()
	text, err := os.ReadFile(fromPython)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, r := range rows(t) {
		cells := strings.Split(strings.ReplaceAll(lines[r.line-1], `\|`, "\x00"), " | ")
		cells[2] = strings.ReplaceAll(cell(code[r.section+" "+r.names[0]]), `\|`, "\x00")
		lines[r.line-1] = strings.ReplaceAll(strings.Join(cells, " | "), "\x00", `\|`)
	}
	if err := os.WriteFile(fromPython, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestEveryName: each name of testdata/names.txt stands in its module's section.
func TestEveryName(t *testing.T) {
	have := map[string]bool{}
	for _, r := range rows(t) {
		if len(r.names) == 0 {
			t.Errorf("%s:%d: a row without a name", fromPython, r.line)
		}
		for _, n := range r.names {
			key := r.section + " " + baseName.FindString(n)
			if have[key] && baseName.FindString(n) == n {
				t.Errorf("%s:%d: %s is there twice", fromPython, r.line, key)
			}
			have[key] = true
		}
		if !slices.ContainsFunc(statuses, func(s string) bool { return strings.HasPrefix(strings.TrimLeft(r.status, "*"), s) }) {
			t.Errorf("%s:%d: the status is %q, want one of %q first", fromPython, r.line, r.status, statuses)
		}
	}
	for _, key := range publicNames(t) {
		if !have[key] {
			t.Errorf("%s does not name %s", fromPython, key)
		}
	}
}

// publicNames reads "module name name …" lines, as the modules' __all__ has them.
func publicNames(t *testing.T) (keys []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		for _, n := range f[1:] {
			keys = append(keys, fmt.Sprint(f[0], " ", n))
		}
	}
	return keys
}
