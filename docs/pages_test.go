package docs_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-go/tandem"
	"github.com/tandem-go/tandem/process"
)

// TestErrorsPage: errors.md names every error that the library exports.
func TestErrorsPage(t *testing.T) {
	page, err := os.ReadFile("errors.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, pkg := range []string{"tandem", "process", "thread", "coroutine", "shared"} {
		folder := "../" + pkg
		if pkg == "tandem" {
			folder = ".."
		}
		for _, name := range exportedErrors(t, folder) {
			found++
			if !strings.Contains(string(page), pkg+"."+name+"`") {
				t.Errorf("errors.md does not name %s.%s", pkg, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d errors in the library: this test looks at nothing", found)
	}
}

// exportedErrors lists the variables Err… and the types …Error of a package.
func exportedErrors(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				names = append(names, errorsIn(g)...)
			}
		}
	}
	return names
}

func errorsIn(g *ast.GenDecl) (names []string) {
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			for _, id := range s.Names {
				if g.Tok == token.VAR && strings.HasPrefix(id.Name, "Err") {
					names = append(names, id.Name)
				}
			}
		case *ast.TypeSpec:
			if s.Name.IsExported() && strings.HasSuffix(s.Name.Name, "Error") {
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}

// TestHandler: the code block of errors.md is the body of handle, line by line.
func TestHandler(t *testing.T) {
	sameCode(t, "errors.md", "handle")
	retry, giveUp := errors.New("retry"), errors.New("give up")
	for _, c := range []struct {
		name      string
		err, want error
	}{
		{"success", nil, nil},
		{"own error", os.ErrNotExist, os.ErrNotExist},
		{"queue full", tandem.ErrQueueFull, retry},
		{"time limit", tandem.ErrTimeout, giveUp},
		{"memory limit", &tandem.CrashError{Err: tandem.ErrMemory}, giveUp},
		{"poison", fmt.Errorf("%w: %w", tandem.ErrPoison, &tandem.CrashError{}), giveUp},
		{"panic", &tandem.PanicError{Value: "nil map"}, giveUp},
		{"crash", &tandem.CrashError{Reason: "signal 11"}, retry},
		{"collateral", &tandem.CrashError{Collateral: true}, retry},
	} {
		got := handle(c.err, func(error) error { return retry }, func(error) error { return giveUp })
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func handle(err error, retry, giveUp func(error) error) error {
	var panicked *tandem.PanicError
	var crash *tandem.CrashError
	switch {
	case errors.Is(err, tandem.ErrQueueFull), errors.Is(err, tandem.ErrClosed):
		return retry(err) // it has not run, or this program is ending
	case errors.Is(err, tandem.ErrPoison), errors.Is(err, tandem.ErrTimeout), errors.Is(err, tandem.ErrCPU), errors.Is(err, tandem.ErrMemory), errors.As(err, &panicked):
		return giveUp(err) // the same input does the same again
	case errors.As(err, &crash):
		return retry(err) // as often as the queue allows; the worker's last words are in the error
	default:
		return err // nil, or the task's own
	}
}

// sameCode compares a page's first Go block with the body of a function of this file.
func sameCode(t *testing.T, page, function string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("pages_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "```go\n")
	block, _, closed := strings.Cut(block, "```")
	_, body, found := strings.Cut(string(source), "\nfunc "+function+"(")
	_, body, _ = strings.Cut(body, "{\n")
	body, _, ended := strings.Cut(body, "\n}\n")
	if !ok || !closed || !found || !ended {
		t.Fatalf("%s has no Go block, or there is no func %s here", page, function)
	}
	body = strings.TrimPrefix(strings.ReplaceAll(body, "\n\t", "\n"), "\t") + "\n"
	if block != body {
		t.Errorf("%s shows\n%s\nthe test runs\n%s", page, block, body)
	}
}

// TestAdaptersPage: the code of adapters.md is that of the example, which has tests.
func TestAdaptersPage(t *testing.T) {
	page, err := os.ReadFile("adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../examples/adapters/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	if len(blocks) < 8 {
		t.Errorf("only %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(source.String(), block) {
			t.Errorf("examples/adapters has no such lines:\n%s", block)
		}
	}
}

// TestSandboxPage: the code of sandbox.md does what the page says.
func TestSandboxPage(t *testing.T) {
	sameCode(t, "sandbox.md", "decodeConfined")
	work := t.TempDir()
	got, err := decodeConfined(onProcesses(t), t.TempDir(), work, work)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("this system has no such sandbox: %v", err)
	}
	if err != nil || got != "permission denied" {
		t.Errorf("the secret outside: %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(work, "out")); err != nil {
		t.Error(err)
	}
}

// decode writes into its folder, and tries to read this package.
var decode = tandem.NewTask("decode", func(_ context.Context, work string) (string, error) {
	if err := os.WriteFile(filepath.Join(work, "out"), nil, 0o600); err != nil {
		return "", err
	}
	_, err := os.ReadFile("pages_test.go")
	if errors.Is(err, os.ErrPermission) {
		return "permission denied", nil
	}
	return "", err
})

func decodeConfined(ctx context.Context, fonts, work, page string) (string, error) {
	pool := &process.Pool{
		Limits: tandem.Limits{Time: 30 * time.Second},
		Config: process.Config{
			Env: []string{"PATH=/usr/bin:/bin"}, // not this program's, with its passwords
			Sandbox: &process.Sandbox{
				Read:      []string{fonts},
				Write:     []string{work},
				NoNetwork: true,
				NoExec:    true,
			},
		},
	}
	defer pool.Close()
	return decode.On(pool).Call(ctx, page)
}
