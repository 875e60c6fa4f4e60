package course

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Width returns how many columns of a terminal s takes: two for Han
// characters and full-width forms, one for the rest.
//
// Characters whose width depends on the terminal (box drawing, arrows, curly
// quotes, dashes) are counted as one here and must not be used: terminals set
// to Chinese draw them double. [Ambiguous] finds them.
func Width(s string) (n int) {
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if wide(r) {
		return 2
	}
	return 1
}

// wide holds for what the course's texts use: Han, CJK punctuation and
// full-width forms.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) ||
		r >= 0x3000 && r <= 0x303f || // CJK punctuation
		r >= 0xff01 && r <= 0xff60 // full-width forms
}

// Ambiguous returns the first character of s that is neither ASCII nor
// certainly wide, or 0.
func Ambiguous(s string) rune {
	for _, r := range s {
		if r >= utf8.RuneSelf && !wide(r) {
			return r
		}
	}
	return 0
}

// Cut shortens s to at most width columns, with ".." where something is
// missing.
func Cut(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > width-2 {
			return strings.TrimRight(s[:i], " ") + ".."
		}
	}
	return s
}

// Short is an error's first row without what the errors of one task all begin
// with: the project's name and the task's full name.
func Short(err error, task string) string {
	if err == nil {
		return ""
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(strings.TrimPrefix(text, "tandem: "), task+": ")
}

// Wrap breaks s into rows of at most width columns: at spaces, and between
// Han characters, but not before closing punctuation. A word that is wider
// than a row begins a row of its own and goes on in the next.
func Wrap(s string, width int) []string {
	var rows []string
	row, used := "", 0
	for _, w := range words(s) {
		if used > 0 && used+Width(strings.TrimRight(w, " ")) > width {
			rows = append(rows, strings.TrimRight(row, " "))
			row, used = "", 0
		}
		for Width(strings.TrimRight(w, " ")) > max(1, width) {
			head := prefix(w, width)
			rows, w = append(rows, head), w[len(head):]
		}
		row += w
		used += Width(w)
	}
	if row = strings.TrimRight(row, " "); row != "" {
		rows = append(rows, row)
	}
	return rows
}

// prefix is as much of s as fits into width columns, at least one character.
func prefix(s string, width int) string {
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > width && i > 0 {
			return s[:i]
		}
	}
	return s
}

// words cuts s behind every place where a row may end.
func words(s string) []string {
	var out []string
	start := 0
	for i, r := range s {
		size := utf8.RuneLen(r)
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		if r == ' ' && next != ' ' || wide(r) && mayStart(next) && !opens(r) || r < utf8.RuneSelf && r != ' ' && wide(next) && mayStart(next) {
			out = append(out, s[start:i+size])
			start = i + size
		}
	}
	return append(out, s[start:])
}

// mayStart and opens keep punctuation with the word it belongs to.
func mayStart(r rune) bool { return !strings.ContainsRune("，。、；：？！）》」 .,;:?!)", r) }
func opens(r rune) bool    { return strings.ContainsRune("（《「", r) }
