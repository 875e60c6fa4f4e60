package sys

import (
	"os"
	"slices"
	"strings"
)

// Debugs reports whether what is among the things that TANDEMDEBUG asks for, separated
// by commas. All processes of a program inherit it.
func Debugs(what string) bool {
	return slices.Contains(strings.Split(os.Getenv("TANDEMDEBUG"), ","), what)
}
