package coroutine

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// This file reads the text of runtime.Stack. It is the only way to learn what
// another goroutine does; a profile has neither numbers nor states.

// allStacks takes the stacks of all goroutines, up to 16 MiB of text.
func allStacks() string {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) && n < 16<<20 {
		buf = make([]byte, 4*len(buf))
		n = runtime.Stack(buf, true)
	}
	return string(buf[:n])
}

// goroutineID reads the number of the calling goroutine off its stack.
func goroutineID() uint64 {
	buf := make([]byte, 64)
	id, _, _ := parseHeader(string(buf[:runtime.Stack(buf, false)]))
	return id
}

// runningStack picks, out of the stacks of all goroutines, that of the
// coroutine which runs under the loop on goroutine root: made by iter.Pull on
// root, or on a coroutine that was, and not suspended.
func runningStack(all string, root uint64) string {
	creators := map[uint64]uint64{}
	running := map[uint64]string{}
	for stack := range strings.SplitSeq(strings.TrimSuffix(all, "\n"), "\n\n") {
		id, state, ok := parseHeader(stack)
		_, by, pulled := strings.Cut(stack, "\ncreated by iter.Pull")
		if !ok || !pulled {
			continue
		}
		_, by, _ = strings.Cut(by, " in goroutine ")
		by, _, _ = strings.Cut(by, "\n")
		creators[id], _ = strconv.ParseUint(by, 10, 64)
		if !strings.HasPrefix(state, "coroutine") {
			running[id] = stack
		}
	}
	for id, stack := range running {
		for up := id; up != 0; up = creators[up] {
			if creators[up] == root {
				return stack
			}
		}
	}
	return ""
}

// parseHeader reads the first line of a stack: "goroutine 7 [running]:".
func parseHeader(stack string) (id uint64, state string, ok bool) {
	rest, found := strings.CutPrefix(stack, "goroutine ")
	number, rest, _ := strings.Cut(rest, " ")
	id, err := strconv.ParseUint(number, 10, 64)
	return id, strings.TrimPrefix(rest, "["), found && err == nil
}

// place returns the innermost function of the stack that is neither of the
// standard library nor of this package, with its file and line. Where the
// former cannot be told, in a program built with -trimpath, it is the
// coroutine's own function.
func place(stack string) (fn, file string, line int) {
	lines := strings.Split(stack, "\n")
	for i := 1; i+1 < len(lines) && !strings.HasPrefix(lines[i], pkg+"frame("); i += 2 {
		at, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
		colon := strings.LastIndexByte(at, ':')
		if colon < 0 || strings.HasPrefix(lines[i], pkg) {
			continue
		}
		fn, file = lines[i][:max(0, strings.LastIndexByte(lines[i], '('))], at[:colon]
		line, _ = strconv.Atoi(at[colon+1:])
		if stdDir != "" && !strings.HasPrefix(file, stdDir) {
			break
		}
	}
	return fn, file, line
}

// pkg begins the names of this package's functions.
var pkg = strings.TrimSuffix(runtime.FuncForPC(reflect.ValueOf(allStacks).Pointer()).Name(), "allStacks")

// stdDir is where the standard library was compiled, "" with -trimpath.
var stdDir = func() string {
	f := runtime.FuncForPC(reflect.ValueOf(strings.Cut).Pointer())
	file, _ := f.FileLine(f.Entry())
	dir, _ := strings.CutSuffix(file, "strings/strings.go")
	return dir
}()
