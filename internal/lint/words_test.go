package lint

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// maxLines bounds a file that is not a test: a reader holds about two screens in
// mind, and twice that only for a table.
const maxLines = 400

// TestPackageComments: one for each package, its manual, beginning as go doc expects.
func TestPackageComments(t *testing.T) {
	type pkg struct{ name, folder string }
	found := map[pkg][]string{}
	for _, s := range load(t) {
		if s.test {
			continue
		}
		p := pkg{s.ast.Name.Name, s.pkg}
		found[p] = append(found[p], "") // known, even without a comment
		if s.ast.Doc == nil {
			continue
		}
		found[p] = append(found[p], s.path)
		text := s.ast.Doc.Text()
		if p.name != "main" && !strings.HasPrefix(text, "Package "+p.name+" ") {
			t.Errorf("%s: the package comment begins %.30q, want \"Package %s …\"", s.path, text, p.name)
		}
	}
	for p, list := range found {
		var with []string
		for _, path := range list {
			if path != "" {
				with = append(with, path)
			}
		}
		if len(with) != 1 {
			t.Errorf("package %s in %q has %d package comments %v, want exactly one: it is the package's manual", p.name, p.folder, len(with), with)
		}
	}
}

// selfEvident lists methods that the standard interfaces explain.
var selfEvident = map[string]bool{
	"Error": true, "String": true, "Unwrap": true, "Is": true, "As": true, "Timeout": true,
	"Len": true, "Less": true, "Swap": true, "Push": true, "Pop": true,
	"Read": true, "Write": true, "ServeHTTP": true,
	"MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true, "UnmarshalText": true,
	"MarshalBinary": true, "UnmarshalBinary": true, "AppendBinary": true,
}

// TestDocComments: whoever can use a name finds what it promises.
func TestDocComments(t *testing.T) {
	for _, s := range load(t) {
		if !s.library() || s.ast.Name.Name == "main" {
			continue
		}
		for _, decl := range s.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && !(d.Recv != nil && (selfEvident[d.Name.Name] || !ast.IsExported(receiver(d)))) {
					t.Errorf("%s: %s has no doc comment", s.at(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					for _, id := range undocumented(d, spec) {
						t.Errorf("%s: %s has no doc comment", s.at(id.Pos()), id.Name)
					}
				}
			}
		}
	}
}

// undocumented lists the exported names of one spec that have no comment: above
// the spec, beside it, or above the group it stands in.
func undocumented(d *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	var names []*ast.Ident
	var doc *ast.CommentGroup
	switch s := spec.(type) {
	case *ast.TypeSpec:
		names, doc = []*ast.Ident{s.Name}, s.Doc
	case *ast.ValueSpec:
		names, doc = s.Names, s.Doc
		if doc == nil {
			doc = s.Comment
		}
	}
	if doc != nil || d.Doc != nil {
		return nil
	}
	var list []*ast.Ident
	for _, id := range names {
		if id.IsExported() {
			list = append(list, id)
		}
	}
	return list
}

// receiver names the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	for n := range ast.Preorder(d.Recv.List[0].Type) {
		if id, ok := n.(*ast.Ident); ok {
			return id.Name
		}
	}
	return ""
}

// TestFileLength: a file that grew too long has two subjects.
func TestFileLength(t *testing.T) {
	for _, s := range load(t) {
		if !s.test && s.lines > maxLines && !ast.IsGenerated(s.ast) {
			t.Errorf("%s has %d lines, at most %d: split it where its second subject begins", s.path, s.lines, maxLines)
		}
	}
}

// unfinished finds notes to self; written apart so that it does not find itself.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

// TestNothingUnfinished: what is not done is not half there.
func TestNothingUnfinished(t *testing.T) {
	for _, s := range load(t) {
		for _, c := range s.ast.Comments {
			if m := unfinished.FindString(c.Text()); m != "" {
				t.Errorf("%s: %s in a comment: finish it, or say as a fact what is not there", s.at(c.Pos()), m)
			}
		}
	}
}

// mayInit lists the files of the library that have an init function, each with
// the reason. An init runs in every child, before the program can say no.
var mayInit = map[string]string{
	"errtypes.go":             "the errors of the standard library must be known before a program registers its own",
	"errwire.go":              "internal/codec cannot import the package above it: it is lent the encoding of errors",
	"init.go":                 "internal/child cannot import the package above it: it is lent the program",
	"process/log_send.go":     "internal/child cannot import the package above it: it is lent log/slog and runtime/pprof",
	"internal/leak/beside.go": "the process that keeps the list of what is open is no second program",
	"internal/spawn/doc.go":   "a warden must never run the program's own packages further than this",
}

// TestNoInit: no package of the library works before it is asked.
func TestNoInit(t *testing.T) {
	for _, s := range load(t) {
		if !s.library() || s.ast.Name.Name == "main" {
			continue
		}
		for _, decl := range s.ast.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv == nil && f.Name.Name == "init" && mayInit[s.path] == "" {
				t.Errorf("%s: func init runs in every child: do it at first use, or give the reason in mayInit", s.at(f.Pos()))
			}
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
				for _, spec := range g.Specs {
					if i := spec.(*ast.ImportSpec); i.Name != nil && i.Name.Name == "." {
						t.Errorf("%s: dot import: a reader cannot see where a name comes from", s.at(i.Pos()))
					}
				}
			}
		}
	}
}
