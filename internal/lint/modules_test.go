package lint

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayRequire lists what the library module may depend on, each with its reason.
var mayRequire = map[string]string{
	"golang.org/x/sys":             "system calls that package syscall does not have",
	"github.com/fxamacker/cbor/v2": "the general codec, for values whose type is known only at run time",
	"github.com/x448/float16":      "the codec's own dependency",
}

// goMod is what `go mod edit -json` prints of a go.mod, as far as it matters here.
type goMod struct {
	Module  struct{ Path string }
	Require []struct {
		Path     string
		Version  string
		Indirect bool
	}
	Replace []replacement
}

type replacement struct{ Old, New struct{ Path string } }

func readMod(t *testing.T, file string) (m goMod) {
	t.Helper()
	edit(t, &m, "mod", file)
	return m
}

// goWork is the same of go.work.
type goWork struct {
	Use     []struct{ DiskPath string }
	Replace []replacement
}

func readWork(t *testing.T) (w goWork) {
	t.Helper()
	edit(t, &w, "work", "go.work")
	return w
}

// edit has the go command read one of its files.
func edit(t *testing.T, into any, kind, file string) {
	t.Helper()
	out, err := exec.Command("go", kind, "edit", "-json", filepath.Join(root, file)).Output()
	if err != nil {
		t.Fatalf("go %s edit -json %s: %v", kind, file, err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatal(err)
	}
}

// TestRequirements: the library depends on little, in its go.mod and in its
// imports. Requirements of tests count too: whoever requires the library sees
// them in its module graph.
func TestRequirements(t *testing.T) {
	for _, r := range readMod(t, "go.mod").Require {
		if mayRequire[r.Path] == "" {
			t.Errorf("go.mod requires %s: the library has no such dependency; a nested module may", r.Path)
		}
	}
	for _, s := range load(t) {
		if s.module != "" {
			continue
		}
		for _, path := range s.imports() {
			if _, ours := cutModule(path); ours || !strings.Contains(strings.Split(path, "/")[0], ".") {
				continue // the module itself, or the standard library
			}
			if !slices.ContainsFunc(keys(mayRequire), func(m string) bool { return path == m || strings.HasPrefix(path, m+"/") }) {
				t.Errorf("%s imports %s: the library has no such dependency", s.path, path)
			}
		}
	}
}

// TestNestedModules: each is part of the workspace and can be installed by itself.
func TestNestedModules(t *testing.T) {
	names, err := files()
	if err != nil {
		t.Fatal(err)
	}
	work := readWork(t)
	used := map[string]bool{}
	for _, u := range work.Use {
		used[u.DiskPath] = true
	}
	for _, folder := range moduleFolders(names) {
		file := strings.TrimPrefix(folder+"/go.mod", "/")
		m := readMod(t, file)
		if want := strings.TrimSuffix(modulePath+"/"+folder, "/"); m.Module.Path != want {
			t.Errorf("%s names the module %s, want %s", file, m.Module.Path, want)
		}
		for _, r := range m.Replace {
			t.Errorf("%s replaces %s: `go install …@version` refuses a module with replace lines; go.work joins the modules of this tree", file, r.Old.Path)
		}
		if entry := "./" + folder; folder != "" && !used[entry] {
			t.Errorf("go.work does not use %s: `go test work` would not test it", entry)
		}
	}
	// The library by this tree is what a workspace means anyway. The line is needed
	// while the version that the nested modules require is not published.
	for _, r := range work.Replace {
		if r.Old.Path != modulePath || r.New.Path != "." {
			t.Errorf("go.work replaces %s: what is tested here would not be what users get", r.Old.Path)
		}
	}
}

func keys[K comparable, V any](m map[K]V) (list []K) {
	for k := range m {
		list = append(list, k)
	}
	return list
}
