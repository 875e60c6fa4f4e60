package lint

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// mayUseUnsafe lists the packages where a reader looks for every trick with
// memory, so that all others can be read without that suspicion.
var mayUseUnsafe = []string{"internal/sys", "internal/mem", "internal/codec"}

// safetyReach is how many lines above a use its SAFETY comment may end: one
// comment may speak for the few lines that belong together.
const safetyReach = 12

// mayUseC is the one package with C code, whose defects are its subject. It is a
// module of its own, and a program that says what is missing where it is not built.
const mayUseC = "examples/native"

// constrained says whether the file is left out where there is no C compiler.
func constrained(s *source) bool {
	first := s.ast.Comments
	return len(first) > 0 && strings.HasPrefix(first[0].List[0].Text, "//go:build ") && strings.HasSuffix(first[0].List[0].Text, "cgo")
}

// TestUnsafe: unsafe and cgo stay where they are explained.
func TestUnsafe(t *testing.T) {
	found := 0
	for _, s := range load(t) {
		imports := s.imports()
		if slices.Contains(imports, "C") {
			if s.pkg != mayUseC {
				t.Errorf("%s uses cgo: the library and its programs build without a C compiler", s.path)
			}
			if !constrained(s) {
				t.Errorf("%s uses cgo without \"//go:build … && cgo\" in its first line: where there is no C compiler, its package must build from other files", s.path)
			}
		}
		if !slices.Contains(imports, "unsafe") {
			continue
		}
		if s.module != "" || !slices.Contains(mayUseUnsafe, s.pkg) {
			t.Errorf("%s imports unsafe: only %s may; give one of them the function you need", s.path, strings.Join(mayUseUnsafe, ", "))
		}
		for _, use := range unsafeUses(s.ast) {
			found++
			if !explained(s, use) {
				t.Errorf("%s: an unsafe conversion without a comment \"// SAFETY: …\" at most %d lines above: say whose memory it is, why it is alive, why it is aligned",
					s.at(use.Pos()), safetyReach)
			}
		}
	}
	if found == 0 {
		t.Error("found no use of unsafe at all: this test looks at nothing")
	}
}

// unsafeUses lists what could go wrong: calls of unsafe's functions, conversions
// to unsafe.Pointer, and conversions (*T)(p), which in a file that imports unsafe
// turn a bare pointer into one with a type. A mention of the type unsafe.Pointer
// does nothing, and Sizeof, Alignof and Offsetof are computed by the compiler.
func unsafeUses(f *ast.File) (uses []*ast.CallExpr) {
	for n := range ast.Preorder(f) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			continue
		}
		switch fun := call.Fun.(type) {
		case *ast.SelectorExpr:
			x, ok := fun.X.(*ast.Ident)
			if ok && x.Name == "unsafe" && !slices.Contains([]string{"Sizeof", "Alignof", "Offsetof"}, fun.Sel.Name) {
				uses = append(uses, call)
			}
		case *ast.ParenExpr:
			if _, pointer := fun.X.(*ast.StarExpr); pointer && !isNil(call.Args) {
				uses = append(uses, call)
			}
		}
	}
	return uses
}

// isNil recognises (*T)(nil).
func isNil(args []ast.Expr) bool {
	id, ok := args[0].(*ast.Ident)
	return ok && id.Name == "nil"
}

// explained looks for a SAFETY comment that ends on the line of the use or
// shortly above it, or that is part of the doc comment of the function around it.
func explained(s *source, use ast.Node) bool {
	line := s.fset.Position(use.Pos()).Line
	for _, c := range s.ast.Comments {
		if !strings.Contains(c.Text(), "SAFETY:") {
			continue
		}
		end := s.fset.Position(c.End()).Line
		if end <= line && line-end <= safetyReach {
			return true
		}
	}
	for _, d := range s.ast.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Pos() <= use.Pos() && use.Pos() < f.End() && strings.Contains(f.Doc.Text(), "SAFETY:") {
			return true
		}
	}
	return false
}
