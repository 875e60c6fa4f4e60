package sys

import (
	"strings"
	"unicode/utf8"
)

// MaxThreadName is how many bytes of a thread's name the kernel keeps.
const MaxThreadName = 15

// CutName shortens a thread's name to what the kernel keeps: it ends at a zero
// byte, and never inside a rune.
func CutName(name string) string {
	if i := strings.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	if len(name) <= MaxThreadName {
		return name
	}
	end := MaxThreadName
	for end > MaxThreadName-utf8.UTFMax && !utf8.RuneStart(name[end]) {
		end--
	}
	if !utf8.RuneStart(name[end]) {
		end = MaxThreadName // not UTF-8 at all: there is no border to look for
	}
	return name[:end]
}
