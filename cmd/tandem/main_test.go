package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem/cmd/tandem/tour"
	"github.com/tandem-go/tandem/course"
	"github.com/tandem-go/tandem/course/all"
)

// command is the built binary: what is tested here is what a person runs.
var command string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tandem-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "tandem.exe")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// runTandem runs the command with a plain English environment and no terminal.
func runTandem(t *testing.T, args ...string) (out, errs string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, command, args...)
	c.Env = append(os.Environ(), "TANDEM_LANG=", "LC_ALL=C", "LC_MESSAGES=", "LANG=")
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// TestWholeTour plays everything in both languages and looks at every screen
// as a terminal of 80 columns and 24 rows would show it.
func TestWholeTour(t *testing.T) {
	for _, lang := range []course.Lang{course.En, course.Zh} {
		t.Run(string(lang), func(t *testing.T) {
			out, errs, status := runTandem(t, "tour", "--all", "--lang", string(lang))
			if status != statusOK || errs != "" {
				t.Errorf("exit status %d, errors %q", status, errs)
			}
			if !utf8Columns(t, out) {
				t.Errorf("the tour printed:\n%s", out)
			}
			index, screens := split(t, out)
			if lang == course.En && index[0] != "中文: --lang zh" {
				t.Errorf("the English tour begins with %q", index[0])
			}
			if len(index) > tour.Rows {
				t.Errorf("the index has %d rows", len(index))
			}
			if len(screens) != len(all.Lessons) {
				t.Fatalf("%d screens, want %d:\n%s", len(screens), len(all.Lessons), out)
			}
			for i, l := range all.Lessons {
				check(t, l, lang, screens[i])
			}
		})
	}
}

// check looks at one screen.
func check(t *testing.T, l *course.Lesson, lang course.Lang, rows []string) {
	t.Helper()
	text := strings.Join(rows, "\n")
	if len(rows) > tour.Rows {
		t.Errorf("%s has %d rows, at most %d fit:\n%s", l.ID, len(rows), tour.Rows, text)
	}
	last := fmt.Sprintf("course/%s/main.go   ", l.Folder)
	if !strings.HasPrefix(rows[len(rows)-1], last) || !strings.HasSuffix(rows[len(rows)-1], "go run ./course/"+l.Folder) {
		t.Errorf("%s ends with %q", l.ID, rows[len(rows)-1])
	}
	wants := []string{l.Heading, "\n  ?  "}
	if lang == course.Zh {
		wants = append(wants, courseLines[l.ID]...)
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q:\n%s", l.ID, want, text)
		}
	}
	if !regexp.MustCompile(`(?m)^\[(ok|skip)\] .`).MatchString(text) {
		t.Errorf("%s shows no law:\n%s", l.ID, text)
	}
}

// courseLines are what the course's own programs print, letter for letter. Which of two
// processes prints first is chance.
var courseLines = map[string][]string{
	"L02": {"    this is a process1\n"},
	"L03": {"    父进程启动...--", "    this is a process 1--", "    this is process 2--python--"},
	"L04": {"    父进程启动...\n    子进程启动...\n", "    子进程结束...\n    父进程结束...\n"},
	"L05": {"    父进程开始...\n    子进程开始...\n    101\n    孙子进程开始...\n    孙子进程结束...101\n    子进程结束...\n    父进程结束...102\n"},
	"L06": {"    父进程开始...\n", "    子进程0启动...\n", "    子进程1启动...\n", "    子进程3启动...\n", "    子进程3结束...耗时0.", "    父进程结束...\n"},
	"L07": {"    主线程MainThread启动...\n    子线程Thread-", " (run)开始...\n    1\n    子线程Thread-", "    主线程MainThread结束...\n"},
	"L09": {"    num = "},
	"L10": {"    num = 0\n    num = 0\n"},
}

// split cuts the tour's output into the index and the screens.
func split(t *testing.T, out string) (index []string, screens [][]string) {
	t.Helper()
	heading := regexp.MustCompile(`^L\d\d  `)
	rows := strings.Split(out, "\n")
	trim := func(rows []string) []string {
		for len(rows) > 0 && rows[len(rows)-1] == "" {
			rows = rows[:len(rows)-1]
		}
		return rows
	}
	var starts []int
	for i, row := range rows {
		if heading.MatchString(row) {
			starts = append(starts, i)
		}
	}
	if len(starts) == 0 {
		t.Fatalf("no screen:\n%s", out)
	}
	for n, from := range starts {
		to := len(rows)
		if n+1 < len(starts) {
			to = starts[n+1]
		}
		screen := rows[from:to]
		// The tour's closing line stands behind the last screen.
		if end := slices.IndexFunc(screen, func(row string) bool { return strings.HasPrefix(row, "course/") }); end >= 0 {
			screen = screen[:end+1]
		}
		screens = append(screens, screen)
	}
	return trim(rows[:starts[0]]), screens
}

// utf8Columns checks that every row fits 80 columns whatever the terminal's
// language, and that there is nothing but plain text in it.
func utf8Columns(t *testing.T, out string) bool {
	t.Helper()
	for row := range strings.Lines(out) {
		row = strings.TrimSuffix(row, "\n")
		switch n := course.Width(row); {
		case n > tour.Columns:
			t.Errorf("%d columns: %s", n, row)
		case course.Ambiguous(row) != 0:
			t.Errorf("%q is double in some terminals: %s", course.Ambiguous(row), row)
		case strings.ContainsAny(row, "\x1b\r\t"):
			t.Errorf("not plain text: %q", row)
		}
	}
	return !t.Failed()
}

func TestNamedLessons(t *testing.T) {
	for _, name := range []string{"L05", "l05", "5", "05", "globals", "05-globals"} {
		if l := lookup(name); l == nil || l.ID != "L05" {
			t.Errorf("lookup(%q) = %v", name, l)
		}
	}
	out, errs, status := runTandem(t, "tour", "globals")
	if status != statusOK || errs != "" || !strings.HasPrefix(out, "L05  ") {
		t.Errorf("exit status %d, errors %q:\n%s", status, errs, out)
	}
	if !strings.Contains(out, "\ncourse/05-globals/main.go\n") || !strings.Contains(out, "    num.Set(num.Get() + 2)\n") {
		t.Errorf("a lesson that is named is shown without its program:\n%s", out)
	}
}

func TestJSON(t *testing.T) {
	out, errs, status := runTandem(t, "tour", "--json", "L05", "L08")
	if status != statusOK || errs != "" {
		t.Errorf("exit status %d, errors %q", status, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2:\n%s", len(lines), out)
	}
	shape := regexp.MustCompile(`^\{"id":"L05","heading":"在子进程中修改全局变量  对父进程中的全局变量没有影响","title":"[^"]+","ok":true,"skipped":"","facts":\{"child":101,"grandchild":101,"parent":102,"plain_grandchild":100,.*\},"ms":\d+\}$`)
	if !shape.MatchString(lines[0]) {
		t.Errorf("L05: %s", lines[0])
	}
}

func TestHTMLFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "course.html")
	out, errs, status := runTandem(t, "tour", "--html", file, "L04")
	if status != statusOK || errs != "" || !strings.Contains(out, file) {
		t.Errorf("exit status %d, errors %q:\n%s", status, errs, out)
	}
	if page, err := os.ReadFile(file); err != nil || !bytes.Contains(page, []byte("父进程启动...")) {
		t.Errorf("%v: %d bytes", err, len(page))
	}
	_, errs, status = runTandem(t, "tour", "--html", filepath.Join(file, "no"), "L04")
	if status != statusFailed || !strings.Contains(errs, "tandem: tour: ") {
		t.Errorf("a file that cannot be written: exit status %d, %q", status, errs)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		says   string // in the errors, or in the output for status 0
	}{
		{"tour L99", statusUsage, `there is no lesson "L99"; the lessons are L01 to L16`},
		{"tour --lang fr", statusUsage, `there is no language "fr"; use en or zh`},
		{"tour --json --html x", statusUsage, "choose one"},
		{"tour --no-such-flag", statusUsage, "-no-such-flag"},
		{"tour --lang", statusUsage, "-lang"},
		{"fly", statusUsage, `there is no command "fly"`},
		{"version now", statusUsage, `takes no arguments, but got "now"`},
		{"bench now", statusUsage, `takes no arguments, but got "now"`},
		{"bench --time 0s", statusUsage, "give a time such as 10s"},
		{"bench --time soon", statusUsage, "-time"},
		{"bench --rounds 3", statusUsage, "-rounds"},
		{"doctor now", statusUsage, `takes no arguments, but got "now"`},
		{"tour --svg /dev/null L08", statusFailed, "drew no lanes"},
		{"", statusOK, "doctor"},
		{"--help", statusOK, "tour"},
		{"tour --help", statusOK, "--lang"},
		{"bench --help", statusOK, "socket_call_p50"},
		{"version", statusOK, "tandem "},
		{"completion bash", statusOK, "complete "},
		{"tour --list", statusOK, "L16"},
		{"tour --list --lang zh", statusOK, "实现多任务的方式"},
		{"tour --generate-shell-completion", statusOK, "L07"},
	} {
		out, errs, status := runTandem(t, strings.Fields(c.args)...)
		if strings.Contains(c.args, "help") || c.args == "" {
			utf8Columns(t, strings.TrimRight(out, "\t"))
		}
		where := errs
		if c.status == statusOK {
			where = out
		}
		if status != c.status || !strings.Contains(where, c.says) {
			t.Errorf("tandem %s: exit status %d, want %d with %q:\n%s%s", c.args, status, c.status, c.says, out, errs)
		}
		if c.status != statusOK && strings.Contains(out, "USAGE") {
			t.Errorf("tandem %s: a page of help hides the error:\n%s", c.args, out)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
		says bool
	}{
		{nil, statusOK, false},
		{errBroken, statusFailed, false},
		{errors.New("disk full"), statusFailed, true},
		{usagef("no"), statusUsage, true},
	} {
		var errs bytes.Buffer
		if got := finish(c.err, &errs); got != c.want || (errs.Len() > 0) != c.says {
			t.Errorf("%v: status %d, want %d; it says %q", c.err, got, c.want, &errs)
		}
	}
}

func TestDoctor(t *testing.T) {
	out, errs, status := runTandem(t, "doctor")
	if status != statusOK || errs != "" || !utf8Columns(t, out) {
		t.Errorf("exit status %d, errors %q:\n%s", status, errs, out)
	}
	out, errs, status = runTandem(t, "doctor", "--json")
	var report map[string]map[string]any
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != statusOK || errs != "" {
		t.Fatalf("exit status %d, errors %q, %v:\n%s", status, errs, err, out)
	}
	for section, rows := range map[string]string{
		"machine":      "system cores affinity quota usable memory",
		"limits":       "",
		"cgroup":       "version",
		"kernel":       "landlock seccomp memfd pidfd",
		"descendants":  "process_groups runaways",
		"this_program": "size package_init process",
		"tandem_uses":  "workers memory_limit shared_memory",
	} {
		for row := range strings.FieldsSeq(rows) {
			if _, ok := report[section][row]; !ok {
				t.Errorf("the report lacks %s.%s: %v", section, row, report[section])
			}
		}
	}
	if n, ok := report["machine"]["usable"].(float64); !ok || n < 1 {
		t.Errorf("usable processors: %v", report["machine"]["usable"])
	}
	if ms, ok := report["this_program"]["package_init"].(float64); !ok || ms <= 0 {
		t.Errorf("package init: %v", report["this_program"]["package_init"])
	}
}
