package lint

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// machineOnly finds what is true on one machine only. The patterns are written
// with classes such as [/] so that they do not find themselves.
var machineOnly = map[string]*regexp.Regexp{
	"a path of somebody's machine":     regexp.MustCompile(`[/]home[/][a-z]|[/]Users[/][A-Za-z]|[/]root[/]|[/]work[/](main|shared)|[A-Z]:\\Users`),
	"the host of a package registry":   regexp.MustCompile(`proxy[.]golang|sum[.]golang|deb[.]debian|registry[.]npmjs|pypi[.]org`),
	"a mark of an unresolved merge":    regexp.MustCompile(`(?m)^(<{7} |>{7} |={7}$)`),
	"a carriage return (use plain LF)": regexp.MustCompile(`\r`),
}

// TestNothingOfOneMachine looks at every text of the tree.
func TestNothingOfOneMachine(t *testing.T) {
	names, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.Contains(name, "testdata/fuzz/") {
			continue // inputs that a fuzzer found, of any bytes
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // a picture or the like
		}
		for what, pattern := range machineOnly {
			if at := pattern.FindIndex(text); at != nil {
				line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
				t.Errorf("%s:%d: %q is %s", name, line, text[at[0]:at[1]], what)
			}
		}
	}
}

// TestReadmesAgree: the Chinese README has the tables of the English one, row by
// row: the same code and the same links, in the same order.
func TestReadmesAgree(t *testing.T) {
	en, zh := tableRows(t, "README.md"), tableRows(t, "README.zh-CN.md")
	if len(en) == 0 {
		t.Fatal("README.md has no table: the course's table belongs there")
	}
	for i := range max(len(en), len(zh)) {
		switch {
		case i >= len(en):
			t.Errorf("README.zh-CN.md has a row more: %s", zh[i])
		case i >= len(zh):
			t.Errorf("README.zh-CN.md lacks the row %s", en[i])
		case !slices.Equal(marks(en[i]), marks(zh[i])):
			t.Errorf("row %d differs in its code or links:\n\t%s\n\t%s", i+1, en[i], zh[i])
		}
	}
}

// tableRows lists the rows of all tables, heads included, outside fenced code.
func tableRows(t *testing.T, name string) (rows []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	fenced := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if !fenced && strings.HasPrefix(line, "|") {
			rows = append(rows, line)
		}
	}
	return rows
}

var mark = regexp.MustCompile("`[^`]+`|\\]\\([^)]+\\)")

// marks lists what a translation keeps: code and the targets of links.
func marks(row string) []string { return mark.FindAllString(row, -1) }

var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)

// code is what is no text: NewQueue[string](10) is not a link.
var code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")

// TestLinks: a link of a page leads to a file that is there.
func TestLinks(t *testing.T) {
	names, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if path.Ext(name) != ".md" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			target := m[1]
			if strings.Contains(target, ":") {
				continue // another site
			}
			if _, err := os.Stat(filepath.Join(root, path.Join(folderOf(name), target))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
	}
}
