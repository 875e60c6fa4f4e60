package lint

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// tooHeavy lists the packages that the library must not link, directly or
// through others: every child is this program again and pays for each of them.
var tooHeavy = []struct {
	dep    string
	except []string // packages of the library that may
	why    string
}{
	{"net/http", []string{"dashboard"}, "a child that links it starts in 2.2 ms instead of 0.95 ms"},
	{"crypto/tls", []string{"dashboard"}, "it fills tables at start, and the library opens no connection to a network"},
	{"testing", []string{"tandemtest"}, "it brings flags and profiles into programs that are no tests"},
	{"flag", []string{"tandemtest"}, "the flags of a program are its own"},
	{"os/signal", []string{"process"}, "only process.HandleSignals, which the program calls, installs a handler: signals belong to the program"},
	{"log", []string{"process", "dashboard"}, "log/slog, whose records process relays, links it; the library prints nothing: errors are returned, events are given to who listens"},
	{"text/template", []string{"dashboard"}, "it calls methods by name, so the linker keeps every exported method of the whole program"},
	{"html/template", []string{"dashboard"}, "as text/template"},
	{"encoding/gob", nil, "internal/codec carries values; gob compiles each type anew in every child"},
	{"net/rpc", nil, "it links net/http, and its errors lose their identity"},
	{"expvar", []string{"dashboard"}, "it opens a handler on the default server of every program"},
	{"plugin", nil, "it needs cgo"},
	{"os/user", nil, "it needs cgo or reads the password file at start"},
}

// TestWeight looks through the whole import graph on each system. The course
// holds programs, and no program imports it but the tour: it is left out.
func TestWeight(t *testing.T) {
	pkgs := []string{}
	for _, s := range load(t) {
		if pkg := "./" + s.pkg; s.library() && s.pkg != "internal/lint" && onFloor(s.pkg) != "course" && !slices.Contains(pkgs, pkg) {
			pkgs = append(pkgs, pkg)
		}
	}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			graph := importGraph(t, goos, pkgs)
			for pkg := range graph {
				folder, ours := cutModule(pkg)
				if !ours {
					continue
				}
				parent := reach(graph, pkg)
				for _, h := range tooHeavy {
					if _, linked := parent[h.dep]; linked && !slices.Contains(h.except, folder) {
						t.Errorf("%s links %s: %s\n\tby %s", name(folder), h.dep, h.why, chain(parent, h.dep))
					}
				}
			}
		})
	}
}

// importGraph asks the go command, which knows build tags and the standard library.
func importGraph(t *testing.T, goos string, pkgs []string) map[string][]string {
	t.Helper()
	args := []string{"list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`}
	cmd := exec.Command("go", append(args, pkgs...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v\n%s", goos, err, stderr.String())
	}
	graph := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 0 {
			graph[f[0]] = f[1:]
		}
	}
	if len(graph) < 30 {
		t.Fatalf("go list named only %d packages: the rule would hold nothing", len(graph))
	}
	return graph
}

// reach maps each package that from links to the one by which it came.
func reach(graph map[string][]string, from string) map[string]string {
	parent := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, dep := range graph[queue[0]] {
			if _, seen := parent[dep]; !seen {
				parent[dep] = queue[0]
				queue = append(queue, dep)
			}
		}
	}
	return parent
}

// chain tells how a package came in: "a → b → c".
func chain(parent map[string]string, dep string) string {
	text := dep
	for p := parent[dep]; p != ""; p = parent[p] {
		text = p + " → " + text
	}
	return text
}
