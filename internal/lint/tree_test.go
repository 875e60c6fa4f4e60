package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/tandem-go/tandem"

// root is the repository's folder, seen from this one.
const root = "../.."

// source is one parsed Go file. Build tags are not looked at, so that a rule
// holds on every system and not only where the test happens to run.
type source struct {
	path   string // slash-separated, from the root: "process/pool.go"
	pkg    string // folder: "process"; "" for the root package
	module string // folder of its go.mod: "" for the library
	test   bool
	lines  int
	fset   *token.FileSet
	ast    *ast.File
}

// imports lists the file's import paths.
func (s *source) imports() []string {
	var list []string
	for _, spec := range s.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		list = append(list, p)
	}
	return list
}

// at gives a position for a message.
func (s *source) at(p token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(p).Line)
}

// library says whether the file belongs to the library module and not to its tests.
func (s *source) library() bool { return s.module == "" && !s.test }

// files lists every file of the tree that is ours to judge, from the root.
var files = sync.OnceValues(func() ([]string, error) {
	var list []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (d.Name() == ".git" || rel == "out") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			list = append(list, rel)
		}
		return nil
	})
	return list, err
})

// sources parses every Go file of the tree once. Folders named testdata, and
// those that begin with a dot or an underscore, are no packages.
var sources = sync.OnceValues(func() ([]*source, error) {
	names, err := files()
	if err != nil {
		return nil, err
	}
	var list []*source
	modules := moduleFolders(names)
	for _, name := range names {
		if path.Ext(name) != ".go" || !isPackageFile(name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		list = append(list, &source{
			path: name, pkg: folderOf(name), module: moduleOf(name, modules),
			test:  strings.HasSuffix(name, "_test.go"),
			lines: strings.Count(string(text), "\n"), fset: fset, ast: tree,
		})
	}
	return list, nil
})

func isPackageFile(name string) bool {
	for _, part := range strings.Split(folderOf(name), "/") {
		if part == "testdata" || strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") {
			return false
		}
	}
	return true
}

func folderOf(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

// moduleFolders lists the folders with a go.mod that can be imported, longest first.
func moduleFolders(names []string) []string {
	var list []string
	for _, name := range names {
		if path.Base(name) == "go.mod" && isPackageFile(name) {
			list = append(list, folderOf(name))
		}
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}

func moduleOf(name string, modules []string) string {
	for _, m := range modules {
		if m == "" || strings.HasPrefix(name, m+"/") {
			return m
		}
	}
	return ""
}

// load is what the tests call: the parsed tree, which must not be empty.
func load(t *testing.T) []*source {
	t.Helper()
	list, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("found only %d Go files below %s: a rule that looks at nothing holds nothing", len(list), root)
	}
	return list
}
