package tandem

import (
	"os"
	"strings"
	"testing"
)

var (
	firstVar  = NewVar("first", 100)
	secondVar = NewVar("second", map[string][]int{"a": {1}})
	fileVar   = NewVar[*os.File]("file", nil)

	varTwice = panicText(func() { NewVar("first", 1) })
	varKind  = panicText(func() { NewVar("kind", func() {}) })
	varName  = panicText(func() { NewVar("", 1) })
)

func panicText(f func()) (text string) {
	defer func() {
		if v, ok := recover().(string); ok {
			text = v
		}
	}()
	f()
	return ""
}

func TestVarRefuses(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{varTwice, `NewVar("first")`},
		{varTwice, "has a variable of that name already"},
		{varKind, "func() cannot travel"},
		{varName, "the name is empty"},
		{panicText(func() { NewVar("late", 1) }), "after Init"},
		{panicText(func() { fileVar.Set(os.Stdin) }), "descriptors"},
	} {
		if !strings.Contains(c.got, c.want) {
			t.Errorf("panic %q, want one that says %q", c.got, c.want)
		}
	}
}

// TestVarInheritance: both ends of the way to a child, in one process.
func TestVarInheritance(t *testing.T) {
	defer firstVar.Set(100)
	shared := map[string][]int{"a": {7}}
	firstVar.Set(101)
	secondVar.Set(shared)
	shared["a"][0] = 8 // after Set: a child does not see it
	taken := snapshot()
	firstVar.Set(102)
	secondVar.Set(nil)
	if err := inheritAll(taken); err != nil {
		t.Fatal(err)
	}
	if firstVar.Get() != 101 || secondVar.Get()["a"][0] != 7 {
		t.Errorf("inherited %v and %v, want 101 and 7: the values when the copy was taken", firstVar.Get(), secondVar.Get())
	}
	for name, bad := range map[string][]byte{
		"half of it": taken[:len(taken)-1],
		"a stranger": append(taken[:len(taken):len(taken)], "\x07\x00\x00\x00\x00\x00\x00\x00unknown\x00\x00\x00\x00\x00\x00\x00\x00"...),
		"garbage":    []byte("garbage"),
	} {
		if err := inheritAll(bad); err == nil {
			t.Errorf("%s was inherited without an error", name)
		}
	}
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"main.main":                              "main",
		"main.init":                              "main",
		"example.com/a/b.F":                      "example.com/a/b",
		"example.com/a/b.init.func1":             "example.com/a/b",
		"example.com/a/b.(*T).M":                 "example.com/a/b",
		"example.com/a/b.F[...]":                 "example.com/a/b",
		"example.com/a/b.F[go.shape.struct{/x}]": "example.com/a/b",
		"gopkg.in/yaml%2ev3.Unmarshal":           "gopkg.in/yaml%2ev3",
		"":                                       "",
	} {
		if got := packageOf(function); got != want {
			t.Errorf("packageOf(%q) = %q, want %q", function, got, want)
		}
	}
}
